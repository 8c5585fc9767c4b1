// SPDX-License-Identifier: Apache-2.0
//
// Owns what SIGTERM and SIGINT do: they ask the program to end, and it ends when it is done.
using System;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;

namespace Martlet.Examples.SensorGateway
{
    /// <summary>Lifecycle: made before what is to be ended in order; disposed after that has ended.
    /// A second SIGINT ends the process at once; so does a second SIGTERM on mono.</summary>
    internal sealed class Termination : IDisposable
    {
        private const string MonoPosix =
            "Mono.Posix, Version=4.0.0.0, Culture=neutral, PublicKeyToken=0738eb9f132ed756";

        private static readonly TimeSpan Longest = TimeSpan.FromSeconds(20);

        private readonly TaskCompletionSource<bool> asked =
            new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);

        private readonly ManualResetEventSlim isOver = new ManualResetEventSlim();

        public Termination()
        {
            AppDomain.CurrentDomain.ProcessExit += OnProcessExit;
            if (Type.GetType("Mono.Runtime") == null)
            {
                Console.CancelKeyPress += OnInterrupt;
            }
            else
            {
                AwaitOnMono("SIGTERM");
                AwaitOnMono("SIGINT");
            }
        }

        /// <summary>Done when somebody has asked for the end.</summary>
        public Task Asked => asked.Task;

        public void Dispose()
        {
            isOver.Set();
            Console.CancelKeyPress -= OnInterrupt;
        }

        private void OnInterrupt(object? sender, ConsoleCancelEventArgs arguments) =>
            arguments.Cancel = asked.TrySetResult(true);

        /// <summary>.NET calls this at SIGTERM, and ends the process when it returns.</summary>
        private void OnProcessExit(object? sender, EventArgs arguments)
        {
            asked.TrySetResult(true);
            isOver.Wait(Longest);
        }

        /// <summary>On mono a signal ends the process unless somebody waits for it by a class of
        /// Mono.Posix, which only mono has.</summary>
        private void AwaitOnMono(string name)
        {
            Type? signals = Type.GetType("Mono.Unix.UnixSignal, " + MonoPosix);
            Type? numbers = Type.GetType("Mono.Unix.Native.Signum, " + MonoPosix);
            if (signals == null || numbers == null)
            {
                Console.Error.WriteLine(
                    "sensor_gateway: no Mono.Posix: " + name + " will end it at once");
                return;
            }

            var signal = (WaitHandle)Activator.CreateInstance(
                signals, Enum.Parse(numbers, name))!;
            var waiting = new Thread(() =>
            {
                signal.WaitOne();
                asked.TrySetResult(true);
                signal.WaitOne(); // Each wait is for one more.
                Process.GetCurrentProcess().Kill();
            });
            waiting.IsBackground = true;
            waiting.Start();
        }
    }
}
