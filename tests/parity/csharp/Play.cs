// SPDX-License-Identifier: Apache-2.0
//
// Owns the steps of a scenario in C#. Promises that every wait is bounded.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;

namespace Martlet.Parity
{
    /// <summary>One scenario. Its callbacks are asynchronous, or not (`isSync`).</summary>
    internal sealed class Play
    {
        private readonly bool inProcess;
        private readonly bool isSync;
        private readonly Dictionary<string, Func<Step, MartletMessage?, Task<object?>>> verbs;
        private readonly Table<Broker> brokers = new Table<Broker>();
        private readonly Table<Client> clients = new Table<Client>();
        private readonly Table<MartletSubscription> subscriptions =
            new Table<MartletSubscription>();

        private readonly Table<Log> logs = new Table<Log>();
        private readonly Table<TaskCompletionSource<bool>> gates =
            new Table<TaskCompletionSource<bool>>();

        private readonly Table<string> inboxes = new Table<string>();
        private readonly Table<Task<object?>> begun = new Table<Task<object?>>();
        private readonly List<MartletConnection> opened = new List<MartletConnection>();
        private readonly List<MartletServer> made = new List<MartletServer>();

        internal Play(bool inProcess, bool isSync)
        {
            this.inProcess = inProcess;
            this.isSync = isSync;
            verbs = new Dictionary<string, Func<Step, MartletMessage?, Task<object?>>>
            {
                ["server"] = Does((step, _) => AddServer(step)),
                ["server_do"] = Does((step, _) => DoServer(step)),
                ["server_get"] = Gives((step, _) => GetServer(step)),
                ["server_log"] = (step, _) => WaitForLogAsync(step),
                ["connect"] = Awaits((step, _) => ConnectAsync(step)),
                ["publish"] = Awaits(PublishAsync),
                ["respond"] = Awaits((step, message) =>
                    message!.ReplyAsync(step.Payload(message), step.Headers).AsTask()),
                ["flush"] = Awaits((step, _) => Of(step).FlushAsync(step.Timeout)),
                ["request"] = RequestAsync,
                ["subscribe"] = Does((step, _) => Subscribe(step)),
                ["next"] = (step, _) => NextAsync(step),
                ["unsubscribe"] = Does((step, _) => Unsubscribe(step)),
                ["drain_subscription"] = Awaits((step, _) => OrBegin(
                    subscriptions[step.Text("on")].DrainAsync(), isBegun: true)),
                ["drop"] = Does((step, _) => Drop(step)),
                ["counts"] = Gives((step, _) => Counts(step)),
                ["inbox"] = Gives((step, _) =>
                    (inboxes[step.Text("as")] = Of(step).NewInbox()).Split('.')[0]),
                ["statistics"] = Gives((step, _) => Chosen(step, Of(step).GetStatistics().All)),
                ["state"] = Gives((step, _) => StateOf(Of(step))),
                ["max_payload"] = Gives((step, _) => Of(step).MaxPayload),
                ["rtt"] = async (step, _) =>
                    await Of(step).PingAsync(step.Timeout) > TimeSpan.Zero,
                ["event"] = (step, _) =>
                    clients[step.Text("on", "c")].Events.TakeAsync(step.Timeout, any => true),
                ["error"] = (step, _) => ErrorAsync(step),
                ["drain"] = Awaits((step, message) => OrBegin(
                    Of(step).DrainAsync(step.Timeout), isBegun: message != null)),
                ["close"] = Awaits((step, _) => Of(step).DisposeAsync().AsTask()),
                ["throw"] = Does((step, _) => throw new ThrownException()),
                ["begin"] = Does((step, _) =>
                    begun[step.Text("as")] = Task.Run(() => GiveAsync(step.Inner("step"), null))),
                ["end"] = (step, _) => EndAsync(begun[step.Text("on")]),
                ["release"] = Does((step, _) => gates[step.Text("on")].TrySetResult(true)),
            };
        }

        internal async Task FinishAsync()
        {
            foreach (TaskCompletionSource<bool> gate in gates.Values)
            {
                gate.TrySetResult(true);
            }

            foreach (MartletConnection connection in opened)
            {
                await connection.DisposeAsync();
            }

            foreach (MartletServer server in made)
            {
                await server.DisposeAsync();
            }

            if (!inProcess)
            {
                Program.Ask(new Dictionary<string, object?> { ["do"] = "end" });
            }
        }

        /// <summary>Carries a step out; what it gives.</summary>
        internal async Task<object?> GiveAsync(Step step, MartletMessage? message)
        {
            Stopwatch clock = Stopwatch.StartNew();
            object? given = await TryOnceAsync(step, message);
            while (step.WantsOther(given) && clock.Elapsed < TimeSpan.FromSeconds(10))
            {
                await Task.Delay(20);
                given = await TryOnceAsync(step, message);
            }

            return given;
        }

        private static Func<Step, MartletMessage?, Task<object?>> Does(
            Action<Step, MartletMessage?> verb) => Gives((step, message) =>
            {
                verb(step, message);
                return "OK";
            });

        private static Func<Step, MartletMessage?, Task<object?>> Gives(
            Func<Step, MartletMessage?, object?> verb) =>
            (step, message) => Task.FromResult(verb(step, message));

        private static Func<Step, MartletMessage?, Task<object?>> Awaits(
            Func<Step, MartletMessage?, Task> verb) => async (step, message) =>
            {
                await verb(step, message);
                return "OK";
            };

        private static Task OrBegin(Task task, bool isBegun) => isBegun ? Task.CompletedTask : task;

        private static string StateOf(MartletConnection connection) =>
            connection.State == MartletConnectionState.Open
                ? "connected"
                : connection.State.ToString().ToLowerInvariant();

        private static object Chosen(Step step, IReadOnlyDictionary<string, object?> all) =>
            new SortedDictionary<string, object?>(
                step.Texts("keys").ToDictionary(key => key, key => all[key]),
                StringComparer.Ordinal);

        private static async Task<object?> EndAsync(Task<object?> task) =>
            await Task.WhenAny(task, Task.Delay(30_000)) == task
                ? await task
                : "EXCEPTION it does not end";

        private async Task<object?> TryOnceAsync(Step step, MartletMessage? message)
        {
            try
            {
                return await verbs[step.Do](step, message);
            }
            catch (ThrownException)
            {
                throw;
            }
            catch (Exception error)
            {
                return Step.StatusOf(error);
            }
        }

        private MartletConnection Of(Step step) => clients[step.Text("on", "c")].Connection!;

        private string WithNames(string text)
        {
            foreach (KeyValuePair<string, string> inbox in inboxes)
            {
                text = text.Replace("{" + inbox.Key + "}", inbox.Value);
            }

            foreach (KeyValuePair<string, Broker> broker in brokers)
            {
                text = text.Replace(
                    "{" + broker.Key + "}", broker.Value.Url.Replace("nats://", string.Empty));
            }

            return text;
        }

        private void AddServer(Step step)
        {
            var broker = new Broker(step, inProcess);
            brokers[step.Text("as", "server")] = broker;
            if (broker.Object != null)
            {
                made.Add(broker.Object);
            }
        }

        private void DoServer(Step step)
        {
            string name = step.Text("on", "server");
            string what = step.Text("what");
            MartletServer? server = brokers[name].Object;
            if (server == null)
            {
                Program.Ask(new Dictionary<string, object?> { ["do"] = what, ["on"] = name });
            }
            else if (what == "stop")
            {
                server.Stop();
            }
            else
            {
                server.Start();
            }
        }

        private object? GetServer(Step step)
        {
            MartletServer server = brokers[step.Text("on", "server")].Object!;
            switch (step.Text("what"))
            {
                case "statistics":
                    return Chosen(step, server.GetStatistics().All);
                case "port":
                    return server.Port > 0;
                default:
                    return server.Url.Replace(":" + server.Port, ":PORT");
            }
        }

        private async Task<object?> WaitForLogAsync(Step step)
        {
            Broker broker = brokers[step.Text("on", "server")];
            Stopwatch clock = Stopwatch.StartNew();
            while (!broker.Lines.Any(line => line.Contains(step.Text("has"))))
            {
                if (clock.Elapsed > step.Timeout)
                {
                    return "ERR_TIMEOUT";
                }

                await Task.Delay(10);
            }

            return true;
        }

        private async Task ConnectAsync(Step step)
        {
            var client = new Client();
            MartletConnectionOptions options = step.Options(new MartletConnectionOptions());
            options.BeforeConnect = client.Listen;
            Broker? broker = step.Has("urls") ? null : brokers[step.Text("to", "server")];
            if (broker?.Object == null)
            {
                options.Servers = broker == null
                    ? step.Texts("urls").Select(WithNames).ToArray()
                    : new[] { broker.Url };
            }

            client.Connection = broker?.Object == null
                ? await MartletConnection.ConnectAsync(options)
                : await MartletConnection.ConnectAsync(broker.Object, options);
            opened.Add(client.Connection);
            clients[step.Text("as", "c")] = client;
        }

        private async Task PublishAsync(Step step, MartletMessage? message)
        {
            string subject = WithNames(step.Text("subject"));
            string? reply = step.Has("reply") ? WithNames(step.Text("reply")) : null;
            for (int number = 0; number < step.Number("count", 1); number++)
            {
                await Of(step).PublishAsync(
                    subject, step.Payload(message, number), step.Headers, reply);
            }
        }

        private async Task<object?> RequestAsync(Step step, MartletMessage? message) =>
            Step.Shown(await Of(step).RequestAsync(
                WithNames(step.Text("subject")),
                step.Payload(message),
                step.Headers,
                step.Timeout));

        private void Subscribe(Step step)
        {
            string subject = WithNames(step.Text("subject"));
            string? queue = step.Has("queue") ? step.Text("queue") : null;
            MartletSubscriptionOptions options = step.Options(new MartletSubscriptionOptions());
            options.MaxMessages = step.Number("max_messages", 0);
            subscriptions[step.Text("as")] =
                !step.Has("handler") ? Of(step).SubscribeAsync(subject, queue, options)
                : !isSync ? Of(step).Subscribe(subject, CallbackOf(step), queue, options)
                : Of(step).Subscribe(subject, Blocking(CallbackOf(step)), queue, options);
        }

        private static Action<MartletMessage> Blocking(Func<MartletMessage, Task> callback) =>
            message => callback(message).GetAwaiter().GetResult();

        private Func<MartletMessage, Task> CallbackOf(Step step)
        {
            string name = step.Text("as");
            Step[] steps = step.Steps("handler");
            Log log = logs.GetOrAdd(step.Text("into", name), _ => new Log());
            TaskCompletionSource<bool> gate = gates[name] = new TaskCompletionSource<bool>(
                TaskCreationOptions.RunContinuationsAsynchronously);
            return async message =>
            {
                log.Put(Step.Shown(message));
                foreach (Step each in steps)
                {
                    if (each.Do == "hold")
                    {
                        await Task.WhenAny(gate.Task, Task.Delay(10_000));
                        continue;
                    }

                    object? given = await GiveAsync(each, message);
                    if (!"OK".Equals(given))
                    {
                        log.Put(given);
                    }
                }
            };
        }

        private async Task<object?> NextAsync(Step step)
        {
            var payloads = new List<byte[]>();
            if (!step.Has("count"))
            {
                return await NextOneAsync(step, payloads);
            }

            var given = new List<object?>();
            while (given.Count < step.Number("count", 0)
                && (given.Count == 0 || !(given[^1] is string)))
            {
                given.Add(await NextOneAsync(step, payloads));
            }

            return step.Gathered(given, payloads);
        }

        private async Task<object?> NextOneAsync(Step step, List<byte[]> payloads)
        {
            if (logs.TryGetValue(step.Text("on"), out Log? log))
            {
                return await log!.TakeAsync(step.Timeout, any => true);
            }

            MartletSubscription subscription = subscriptions[step.Text("on")];
            using var stop = new CancellationTokenSource(step.Timeout);
            try
            {
                if (!subscription.TryNext(out MartletMessage? message))
                {
                    message = await subscription.NextAsync(stop.Token);
                }

                payloads.Add(message!.Data.ToArray());
                return Step.Shown(message);
            }
            catch (OperationCanceledException)
            {
                return "ERR_TIMEOUT";
            }
            catch (MartletException error)
            {
                return Step.StatusOf(error);
            }
        }

        private void Unsubscribe(Step step)
        {
            MartletSubscription subscription = subscriptions[step.Text("on")];
            if (step.Has("after"))
            {
                subscription.AutoUnsubscribe(step.Number("after", 0));
            }
            else
            {
                subscription.Unsubscribe();
            }
        }

        private void Drop(Step step)
        {
            Forget(step.Text("on"));
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        /// <summary>A method of its own: nothing of it is left on the stack that is collected.
        /// </summary>
        [MethodImpl(MethodImplOptions.NoInlining)]
        private void Forget(string name) => subscriptions.TryRemove(name, out _);

        private object Counts(Step step)
        {
            MartletSubscriptionStatistics counted =
                subscriptions[step.Text("on")].GetStatistics();
            return new SortedDictionary<string, object?>(StringComparer.Ordinal)
            {
                ["pending"] = counted.PendingMessages,
                ["dropped"] = counted.Dropped,
                ["delivered"] = counted.Delivered,
            };
        }

        private async Task<object?> ErrorAsync(Step step)
        {
            string wanted = step.Text("status");
            object? found = await clients[step.Text("on", "c")].Errors.TakeAsync(
                step.Timeout, status => wanted.Equals(status));
            return wanted.Equals(found) ? "OK" : found;
        }
    }
}
