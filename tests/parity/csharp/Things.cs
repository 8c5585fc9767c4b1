// SPDX-License-Identifier: Apache-2.0
//
// Owns what a scenario makes and names: servers, connections, and what they have told.
using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading.Tasks;

namespace Martlet.Parity
{
    /// <summary>The things of one kind, by their names.</summary>
    internal sealed class Table<T> : ConcurrentDictionary<string, T>
    {
    }

    /// <summary>What is put by callbacks and events, and waited for by steps.</summary>
    internal sealed class Log
    {
        private readonly List<object?> entries = new List<object?>();

        internal void Put(object? entry)
        {
            lock (entries)
            {
                entries.Add(entry);
            }
        }

        /// <summary>The first that is wanted, taken out; ERR_TIMEOUT without one.</summary>
        internal async Task<object?> TakeAsync(TimeSpan timeout, Predicate<object?> wanted)
        {
            Stopwatch clock = Stopwatch.StartNew();
            do
            {
                lock (entries)
                {
                    int at = entries.FindIndex(wanted);
                    if (at >= 0)
                    {
                        object? found = entries[at];
                        entries.RemoveAt(at);
                        return found;
                    }
                }

                await Task.Delay(2);
            }
            while (clock.Elapsed < timeout);
            return "ERR_TIMEOUT";
        }
    }

    /// <summary>A server of the scenario: an object, or the URL of one that run.py has started.
    /// </summary>
    internal sealed class Broker
    {
        internal readonly ConcurrentQueue<string> Lines = new ConcurrentQueue<string>();

        internal Broker(Step step, bool inProcess)
        {
            if (!inProcess)
            {
                Dictionary<string, object?> request = step.ToRequest();
                request["as"] = step.Text("as", "server");
                Url = Program.Ask(request);
                return;
            }

            var options = new MartletServerOptions();
            if (step.Has("config"))
            {
                options.Configuration = step.Text("config");
            }
            else
            {
                options.Listen = false;
                step.Options(options);
            }

            if (step.Has("log"))
            {
                options.Log = (level, line) => Lines.Enqueue(line);
            }

            Object = MartletServer.Start(options);
            Url = Object.Url;
        }

        internal MartletServer? Object { get; }

        internal string Url { get; }
    }

    /// <summary>A connection and what it has told.</summary>
    internal sealed class Client
    {
        internal readonly Log Events = new Log();
        internal readonly Log Errors = new Log();

        internal MartletConnection? Connection { get; set; }

        /// <summary>Hears each event, from the first on.</summary>
        internal void Listen(MartletConnection connection)
        {
            bool wasOpen = false;
            connection.ConnectionOpened += (sender, told) =>
            {
                if (wasOpen)
                {
                    Events.Put("reconnected");
                }

                wasOpen = true;
            };
            connection.ConnectionDisconnected += (sender, told) => Put("disconnected", told);
            connection.ConnectionClosed += (sender, told) => Put("closed", told);
            connection.LameDuckModeActivated += (sender, told) => Put("lame_duck", told);
            connection.ServersDiscovered += (sender, told) => Put("discovered_servers", told);
            connection.ErrorOccurred += (sender, told) => Errors.Put(Step.StatusOf(told.Error));
        }

        private void Put(string name, MartletConnectionEventArgs told)
        {
            if (told.Failure != null)
            {
                Errors.Put(Step.StatusOf(told.Failure));
            }

            Events.Put(name);
        }
    }
}
