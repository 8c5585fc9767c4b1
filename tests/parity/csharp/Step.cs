// SPDX-License-Identifier: Apache-2.0
//
// Owns what a step says, in C#'s terms: payloads, headers, options; and messages and failures as
// the transcript shows them.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;

namespace Martlet.Parity
{
    /// <summary>A failure of the scenario's own callback.</summary>
    public sealed class ThrownException : Exception
    {
    }

    /// <summary>One step. Any thread.</summary>
    internal sealed class Step
    {
        private static readonly Encoding Bytes = Encoding.GetEncoding("iso-8859-1");

        private static readonly Dictionary<Type, string> StatusNames = new Dictionary<Type, string>
        {
            [typeof(ArgumentException)] = "ERR_INVALID_ARGUMENT",
            [typeof(MartletInvalidArgumentException)] = "ERR_INVALID_ARGUMENT",
            [typeof(MartletOptionsException)] = "ERR_OPTIONS",
            [typeof(MartletBadSubjectException)] = "ERR_SUBJECT",
            [typeof(MartletMaxPayloadException)] = "ERR_MAX_PAYLOAD",
            [typeof(MartletLimitException)] = "ERR_LIMIT",
            [typeof(MartletTimeoutException)] = "ERR_TIMEOUT",
            [typeof(MartletConnectionClosedException)] = "ERR_CLOSED",
            [typeof(MartletDrainingException)] = "ERR_DRAINING",
            [typeof(MartletDisconnectedException)] = "ERR_DISCONNECTED",
            [typeof(MartletNoServersException)] = "ERR_NO_SERVERS",
            [typeof(MartletNoRespondersException)] = "ERR_NO_RESPONDERS",
            [typeof(MartletAuthorizationException)] = "ERR_AUTHORIZATION",
            [typeof(MartletPermissionsException)] = "ERR_PERMISSIONS",
            [typeof(MartletStaleConnectionException)] = "ERR_STALE_CONNECTION",
            [typeof(MartletProtocolException)] = "ERR_PROTOCOL",
            [typeof(MartletSlowConsumerException)] = "ERR_SLOW_CONSUMER",
            [typeof(MartletAddressInUseException)] = "ERR_ADDRESS_IN_USE",
            [typeof(MartletSystemIOException)] = "ERR_IO",
            [typeof(MartletStateException)] = "ERR_STATE",
            [typeof(MartletInCallbackException)] = "ERR_IN_CALLBACK",
            [typeof(ThrownException)] = "thrown",
        };

        private readonly Json fields;

        internal Step(Json fields)
        {
            this.fields = fields;
        }

        internal string Do => Text("do");

        internal TimeSpan Timeout => TimeSpan.FromMilliseconds(Number("timeout_ms", 10_000));

        internal MartletHeaders? Headers
        {
            get
            {
                if (!Has("headers"))
                {
                    return null;
                }

                var headers = new MartletHeaders();
                foreach (KeyValuePair<string, Json> header in fields["headers"].Fields)
                {
                    foreach (Json value in header.Value.Items)
                    {
                        headers.Add(header.Key, value.Text);
                    }
                }

                return headers;
            }
        }

        internal bool Has(string field) => fields.Get(field) != null;

        internal string Text(string field, string missing = "") =>
            fields.Get(field)?.Text ?? missing;

        internal int Number(string field, int missing) =>
            (int)(fields.Get(field)?.Number ?? missing);

        internal IEnumerable<string> Texts(string field) =>
            fields[field].Items.Select(value => value.Text);

        internal Step Inner(string field) => new Step(fields[field]);

        internal Step[] Steps(string field) =>
            fields[field].Items.Select(each => new Step(each)).ToArray();

        /// <summary>Whether the step wants to be repeated after it gave this.</summary>
        internal bool WantsOther(object? given) =>
            fields.Get("until") is Json wanted && Json.Write(given) != Json.Write(Sorted(wanted));

        internal Dictionary<string, object?> ToRequest()
        {
            var request = new Dictionary<string, object?>();
            foreach (KeyValuePair<string, Json> field in fields.Fields)
            {
                request[field.Key] = field.Value;
            }

            return request;
        }

        internal byte[] Payload(MartletMessage? message, int number = 0)
        {
            if (Has("size"))
            {
                return Enumerable.Range(0, Number("size", 0))
                    .Select(i => (byte)('a' + (i % 26)))
                    .ToArray();
            }

            if (Has("hex"))
            {
                string digits = Text("hex");
                return Enumerable.Range(0, digits.Length / 2)
                    .Select(i => Convert.ToByte(digits.Substring(2 * i, 2), 16))
                    .ToArray();
            }

            string data = Bytes.GetString(Encoding.UTF8.GetBytes(Text("data")));
            data = data.Replace("{n}", number.ToString());
            return Bytes.GetBytes(message == null
                ? data
                : data.Replace("{data}", Bytes.GetString(message.Data.Span)));
        }

        /// <summary>Sets the properties of an options object that the step names.</summary>
        internal T Options<T>(T options)
        {
            if (!Has("options"))
            {
                return options;
            }

            foreach (KeyValuePair<string, Json> option in fields["options"].Fields)
            {
                OptionNames.Set(options!, option.Key, option.Value);
            }

            return options;
        }

        /// <summary>What `next` with a count gives.</summary>
        internal object Gathered(List<object?> given, List<byte[]> payloads)
        {
            if (Has("digest"))
            {
                bool isWhole = given.Count == 0 || !(given[^1] is string);
                byte[] lines = payloads.SelectMany(data => data.Append((byte)'\n')).ToArray();
                return isWhole
                    ? new SortedDictionary<string, object?>
                    {
                        ["count"] = given.Count,
                        ["fnv"] = Fnv(lines),
                    }
                    : given[^1]!;
            }

            return Has("sorted")
                ? given.OrderBy(
                    each => each is SortedDictionary<string, object?> message
                        ? (string)message["data"]!
                        : string.Empty,
                    StringComparer.Ordinal).ToList()
                : given;
        }

        internal static object Shown(MartletMessage message)
        {
            var shown = new SortedDictionary<string, object?>(StringComparer.Ordinal)
            {
                ["subject"] = WithoutInbox(message.Subject),
                ["data"] = Shown(message.Data.ToArray()),
            };
            if (message.ReplyTo != null)
            {
                shown["reply"] = WithoutInbox(message.ReplyTo);
            }

            if (message.Headers != null && message.Headers.Count > 0)
            {
                shown["headers"] = message.Headers.GroupBy(each => each.Key)
                    .ToDictionary(each => each.Key, each => each.Select(one => one.Value));
            }

            if (message.Headers != null && message.Headers.Status != 0)
            {
                shown["status"] = message.Headers.Status;
            }

            return shown;
        }

        internal static string StatusOf(Exception error) =>
            StatusNames.TryGetValue(error.GetType(), out string? name)
                ? name!
                : "EXCEPTION " + error.GetType().Name + ": " + error.Message;

        private static string Shown(byte[] data) =>
            data.Length <= 64 && data.All(each => each >= 0x20 && each <= 0x7e)
                ? Bytes.GetString(data)
                : data.Length + " bytes, fnv " + Fnv(data);

        private static string Fnv(byte[] data) =>
            data.Aggregate(0x811c9dc5u, (value, each) => unchecked((value ^ each) * 0x01000193u))
                .ToString("x8");

        private static string WithoutInbox(string subject) =>
            subject.StartsWith("_INBOX.", StringComparison.Ordinal) ? "_INBOX" : subject;

        /// <summary>As `until` is compared: with the names of an object in their order.</summary>
        private static object Sorted(Json value)
        {
            if (!value.IsObject)
            {
                return value;
            }

            var sorted = new SortedDictionary<string, object?>(StringComparer.Ordinal);
            foreach (KeyValuePair<string, Json> field in value.Fields)
            {
                sorted[field.Key] = Sorted(field.Value);
            }

            return sorted;
        }
    }
}
