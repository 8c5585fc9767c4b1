// SPDX-License-Identifier: Apache-2.0
//
// Owns a subscription: its messages are iterated, or handed to a callback.
using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Martlet.Raw;

namespace Martlet
{
    /// <summary>Messages of one subject, for <c>await foreach</c> (one reader at a time), or for
    /// the callback that it was made with. Leaving the loop unsubscribes. One that is iterated
    /// lives as long as it is held: who drops it unsubscribes. One with a callback lives until it
    /// ends, with its connection.</summary>
    public sealed class MartletSubscription
        : IAsyncEnumerable<MartletMessage>, IAsyncDisposable, IDisposable
    {
        private readonly MartletConnection connection;
        private readonly Action<MartletMessage>? callback;
        private readonly Dispatcher? dispatcher;
        private readonly MessageReader? reader;
        private readonly CancellationToken cancellation;
        private readonly long cookie;
        private readonly SubscriptionHandle handle;
        private readonly TaskCompletionSource<bool> completed = new TaskCompletionSource<bool>(
            TaskCreationOptions.RunContinuationsAsynchronously);

        private MartletSubscriptionStatistics? last;
        private volatile bool isHandedOut;

        internal MartletSubscription(
            MartletConnection connection,
            string subject,
            string? queueGroup,
            MartletSubscriptionOptions options,
            Action<MartletMessage>? callback,
            CancellationToken cancellation)
        {
            this.connection = connection;
            this.callback = callback;
            this.cancellation = cancellation;
            Subject = subject;
            QueueGroup = queueGroup;
            Origin = new MessageOrigin(connection);
            if (callback == null)
            {
                reader = new MessageReader(Origin, connection.Pump, Abi.KindMessage, OnOther);
            }
            else
            {
                dispatcher = connection.MakeDispatcher();
                cookie = dispatcher.Add(this);
            }

            try
            {
                handle = Make(options);
                handle.Ended = connection.Remember(this);
            }
            catch
            {
                dispatcher?.Forget(cookie);
                reader?.End();
                throw;
            }
        }

        /// <summary>The subject, or the pattern.</summary>
        public string Subject { get; }

        /// <summary>The queue group; null: none.</summary>
        public string? QueueGroup { get; }

        /// <summary>Its messages are handed to a callback, of either kind.</summary>
        internal bool HasCallback => callback != null || isHandedOut;

        internal MessageOrigin Origin { get; }

        /// <summary>Done when nothing more will be handed out.</summary>
        internal Task Completed => completed.Task;

        /// <summary>Nobody reads it, and there is nothing to read.</summary>
        internal bool IsIdle =>
            reader != null && !reader.IsBeingRead && !reader.HasAtHand
            && GetStatistics().PendingMessages == 0;

        /// <summary>The messages, as they come. Leaving the loop unsubscribes.</summary>
        /// <param name="cancellationToken">Ends a wait, and so the loop.</param>
        /// <returns>An enumerator; only one at a time.</returns>
        /// <exception cref="MartletStateException">It has a callback, or is being read.</exception>
        public IAsyncEnumerator<MartletMessage> GetAsyncEnumerator(
            CancellationToken cancellationToken = default)
        {
            return new Enumerator(this, EnterReader(), cancellation, cancellationToken);
        }

        /// <summary>For a loop that need not go on where it began.</summary>
        /// <param name="continueOnCapturedContext">False: anywhere.</param>
        /// <returns>What to loop over.</returns>
        public ConfiguredCancelableAsyncEnumerable<MartletMessage> ConfigureAwait(
            bool continueOnCapturedContext) =>
            TaskAsyncEnumerableExtensions.ConfigureAwait<MartletMessage>(
                this, continueOnCapturedContext);

        /// <summary>The next message; waits for it.</summary>
        /// <param name="cancellationToken">Ends the wait; nothing is lost.</param>
        /// <returns>The message.</returns>
        /// <exception cref="MartletConnectionClosedException">Nothing can come any more.
        /// </exception>
        public async ValueTask<MartletMessage> NextAsync(
            CancellationToken cancellationToken = default)
        {
            MessageReader mine = EnterReader();
            try
            {
                MartletMessage? message =
                    await mine.TakeAsync(cancellationToken).ConfigureAwait(false);
                if (message == null)
                {
                    throw Ended();
                }

                return message;
            }
            finally
            {
                mine.Leave();
            }
        }

        /// <summary>The next message if one has come; does not wait.</summary>
        /// <param name="message">The message; null if there is none now.</param>
        /// <returns>Whether there was one.</returns>
        /// <exception cref="MartletConnectionClosedException">Nothing can come any more.
        /// </exception>
        public bool TryNext(out MartletMessage? message)
        {
            MessageReader mine = EnterReader();
            try
            {
                if (mine.TryTake(out message))
                {
                    return true;
                }

                if (mine.HasEnded)
                {
                    throw Ended();
                }

                return false;
            }
            finally
            {
                mine.Leave();
            }
        }

        /// <summary>Ends it now. What has come already can still be read; a callback is not called
        /// again.</summary>
        /// <exception cref="MartletConnectionClosedException">It has ended before.</exception>
        public void Unsubscribe()
        {
            last = GetStatistics();
            try
            {
                Call(Native.martlet_subscription_unsubscribe);
            }
            finally
            {
                if (HasCallback)
                {
                    reader?.End();
                    OnEnd();
                }
            }
        }

        /// <summary>Ends it by itself after so many messages, counted from its beginning.</summary>
        /// <param name="messagesMax">1 or more.</param>
        public void AutoUnsubscribe(long messagesMax)
        {
            if (messagesMax < 1)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(messagesMax), messagesMax, "1 or more");
            }

            Call((SubscriptionHandle subscription, out IntPtr error) =>
                Native.martlet_subscription_auto_unsubscribe(
                    subscription, messagesMax, out error));
        }

        /// <summary>Ends it in order: what was sent before the server learned of the end still
        /// comes. Done when all is handed out, so whoever iterates has to go on.</summary>
        /// <param name="cancellationToken">Ends the wait; the end of the subscription goes on.
        /// </param>
        /// <returns>Done when the last message has been handed out.</returns>
        /// <exception cref="MartletConnectionClosedException">It has ended before.</exception>
        public Task DrainAsync(CancellationToken cancellationToken = default)
        {
            Call(Native.martlet_subscription_drain);
            return cancellationToken.CanBeCanceled
                ? new Deadline(System.Threading.Timeout.Infinite)
                    .WaitAsync(Completed, cancellationToken)
                : Completed;
        }

        /// <summary>What it counts.</summary>
        /// <returns>The counts of this moment; the last ones when it has ended.</returns>
        public MartletSubscriptionStatistics GetStatistics()
        {
            long messages = 0;
            long bytes = 0;
            long dropped = 0;
            long delivered = 0;
            bool isKnown = Calls.TryRun(
                handle,
                (SubscriptionHandle subscription, out IntPtr error) =>
                    Native.martlet_subscription_pending(
                        subscription, out messages, out bytes, out error));
            isKnown &= Calls.TryRun(
                handle,
                (SubscriptionHandle subscription, out IntPtr error) =>
                    Native.martlet_subscription_dropped(
                        subscription, out dropped, out delivered, out error));
            return isKnown || last == null
                ? new MartletSubscriptionStatistics(messages, bytes, dropped, delivered)
                : last;
        }

        /// <summary>Unsubscribes and gives back what it holds; what nobody has read is lost. May be
        /// called twice.</summary>
        public void Dispose()
        {
            LetGo();
            reader?.End();
            OnEnd();
        }

        /// <summary>The same; there is nothing to wait for.</summary>
        /// <returns>Done.</returns>
        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }

        /// <summary>The connection is over: what it keeps of it is given back. What has come can
        /// still be read.</summary>
        internal void LetGo()
        {
            if (handle.IsClosed)
            {
                return;
            }

            bool isOver = HasCallback || IsIdle;
            last = GetStatistics();
            handle.Dispose();
            if (isOver)
            {
                reader?.End();
                OnEnd();
            }
        }

        internal void DrainUnlessEnded()
        {
            Calls.TryRun<SubscriptionHandle>(handle, Native.martlet_subscription_drain);
        }

        /// <summary>Hands each message to `asyncCallback`, the next when the task of the one before
        /// is done.</summary>
        internal void CallForEach(Func<MartletMessage, Task> asyncCallback)
        {
            MessageReader mine = EnterReader();
            isHandedOut = true;
            _ = Task.Run(() => CallForEachAsync(mine, asyncCallback));
        }

        [MethodImpl(Hot.Path)]
        internal void Call(MartletMessage message)
        {
            try
            {
                callback!(message);
            }
            catch (Exception error)
            {
                connection.OnError("a callback threw", error);
            }
        }

        /// <summary>What comes in its queue and is no message.</summary>
        internal void OnOther(MartletMessage other)
        {
            if (other.Kind == Abi.KindSubscriptionEnd)
            {
                OnEnd();
            }
            else if (other.Kind == Abi.KindSlowConsumer)
            {
                connection.OnError(
                    "a subscription lost messages", new MartletSlowConsumerException(other.Text));
            }
        }

        /// <summary>Nothing more will be handed out.</summary>
        internal void OnEnd()
        {
            if (completed.TrySetResult(true))
            {
                dispatcher?.Forget(cookie);
            }
        }

        private async Task CallForEachAsync(
            MessageReader mine, Func<MartletMessage, Task> asyncCallback)
        {
            connection.EnterCallbacks();
            try
            {
                MartletMessage? message;
                while ((message = await mine.TakeAsync(default).ConfigureAwait(false)) != null)
                {
                    try
                    {
                        await asyncCallback(message).ConfigureAwait(false);
                    }
                    catch (Exception error)
                    {
                        connection.OnError("a callback threw", error);
                    }
                }
            }
            catch (Exception error)
            {
                Unheard.Tell("the reading of a subscription failed", error);
            }

            Dispose();
        }

        private MartletConnectionClosedException Ended()
        {
            OnEnd();
            return new MartletConnectionClosedException("the subscription has ended");
        }

        /// <summary>Claims the reading.</summary>
        private MessageReader EnterReader()
        {
            if (reader == null || isHandedOut)
            {
                throw new MartletStateException("the subscription has a callback");
            }

            reader.Enter();
            return reader;
        }

        private void Call(NativeCall<SubscriptionHandle> call) =>
            Calls.Run(handle, "the subscription is disposed", call);

        private unsafe SubscriptionHandle Make(MartletSubscriptionOptions options)
        {
            if (options.MaxMessages < 0)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(options), options.MaxMessages, "MaxMessages is 0 or more");
            }

            OptionsText text = options.ToOptions();
            byte[] json = text.ToBytes();
            byte[] subject = Utf8.Encode(Subject, "subject");
            byte[] group = Utf8.Encode(QueueGroup, "queueGroup");
            SubscriptionHandle made;
            fixed (byte* json0 = json)
            fixed (byte* subject0 = subject)
            fixed (byte* group0 = group)
            {
                int status = Native.martlet_subscription_new(
                    connection.Handle,
                    subject0,
                    subject.Length,
                    group0,
                    group.Length,
                    json0,
                    json.Length,
                    dispatcher?.Queue ?? reader!.Queue,
                    cookie,
                    out made,
                    out IntPtr error);
                text.Check(status, error);
            }

            if (options.MaxMessages > 0)
            {
                int status = Native.martlet_subscription_auto_unsubscribe(
                    made, options.MaxMessages, out IntPtr error);
                Status.Check(status, error);
            }

            return made;
        }

        /// <summary>Hands out one message after the other, from blocks.</summary>
        private sealed class Enumerator : IAsyncEnumerator<MartletMessage>
        {
            private readonly MartletSubscription subscription;
            private readonly MessageReader reader;
            private readonly CancellationTokenSource? both;
            private readonly CancellationToken cancellation;
            private MartletMessage? current;

            internal Enumerator(
                MartletSubscription subscription,
                MessageReader reader,
                CancellationToken ofSubscription,
                CancellationToken ofLoop)
            {
                this.subscription = subscription;
                this.reader = reader;
                if (ofSubscription.CanBeCanceled && ofLoop.CanBeCanceled)
                {
                    both = CancellationTokenSource.CreateLinkedTokenSource(ofSubscription, ofLoop);
                    cancellation = both.Token;
                }
                else
                {
                    cancellation = ofLoop.CanBeCanceled ? ofLoop : ofSubscription;
                }
            }

            public MartletMessage Current
            {
                [MethodImpl(Hot.Path)]
                get => current!;
            }

            [MethodImpl(Hot.Path)]
            public ValueTask<bool> MoveNextAsync()
            {
                if (!cancellation.IsCancellationRequested && reader.TryTake(out current))
                {
                    return new ValueTask<bool>(true);
                }

                return WaitAsync();
            }

            public ValueTask DisposeAsync()
            {
                both?.Dispose();
                reader.Leave();
                return subscription.DisposeAsync();
            }

            private async ValueTask<bool> WaitAsync()
            {
                current = await reader.TakeAsync(cancellation).ConfigureAwait(false);
                if (current != null)
                {
                    return true;
                }

                subscription.OnEnd();
                return false;
            }
        }
    }
}
