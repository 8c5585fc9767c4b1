// SPDX-License-Identifier: Apache-2.0
//
// Owns the bounds of a subscription.
namespace Martlet
{
    /// <summary>What happens to a message that comes at a subscription's bound.</summary>
    public enum MartletFullPolicy
    {
        /// <summary>It is lost.</summary>
        RefuseNew,

        /// <summary>The oldest that waits is lost.</summary>
        DropOldest,

        /// <summary>Of each subject only the latest is kept.</summary>
        KeepLatestOfEachSubject,

        /// <summary>Nothing is lost here, but the whole connection stops reading until there is
        /// room: no other subscription, request or flush of it goes on meanwhile, and if that
        /// lasts the server closes the connection as a slow consumer.</summary>
        BlockReader,
    }

    /// <summary>Bounds of one subscription.</summary>
    public sealed class MartletSubscriptionOptions
    {
        /// <summary>Messages that may wait unread; 0: no bound.</summary>
        public long PendingMessagesMax { get; set; } = 512 * 1024;

        /// <summary>The same in bytes; 0: no bound.</summary>
        public long PendingBytesMax { get; set; } = 128 * 1024 * 1024;

        /// <summary>What happens at a bound.</summary>
        public MartletFullPolicy FullPolicy { get; set; } = MartletFullPolicy.RefuseNew;

        /// <summary>The subscription ends by itself after so many messages; 0: never.</summary>
        public long MaxMessages { get; set; }

        internal OptionsText ToOptions() =>
            new OptionsText()
                .Add("messages_max", nameof(PendingMessagesMax), (long?)PendingMessagesMax)
                .Add("bytes_max", nameof(PendingBytesMax), (long?)PendingBytesMax)
                .Add("full_policy", nameof(FullPolicy), NameOf(FullPolicy));

        private static string NameOf(MartletFullPolicy policy)
        {
            switch (policy)
            {
                case MartletFullPolicy.RefuseNew:
                    return "refuse_new";
                case MartletFullPolicy.DropOldest:
                    return "drop_oldest";
                case MartletFullPolicy.KeepLatestOfEachSubject:
                    return "keep_latest_of_each_subject";
                case MartletFullPolicy.BlockReader:
                    return "block_reader";
                default:
                    throw new System.ArgumentOutOfRangeException(nameof(FullPolicy));
            }
        }
    }
}
