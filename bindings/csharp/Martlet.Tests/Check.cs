// SPDX-License-Identifier: Apache-2.0
//
// Owns what a test says of what it found.
using System;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;

namespace Martlet.Tests
{
    public sealed class CheckException : Exception
    {
        public CheckException(string message)
            : base(message)
        {
        }
    }

    public static class Check
    {
        public static void True(bool value, string what)
        {
            if (!value)
            {
                throw new CheckException("not so: " + what);
            }
        }

        public static void Equal<T>(T wanted, T found, string what = "")
        {
            if (!Equals(wanted, found))
            {
                throw new CheckException(what + " wanted " + wanted + ", found " + found);
            }
        }

        public static void Contains(string part, string text)
        {
            if (text.IndexOf(part, StringComparison.Ordinal) < 0)
            {
                throw new CheckException("'" + part + "' is not in '" + text + "'");
            }
        }

        public static T Throws<T>(Action action, string what = "nothing")
            where T : Exception
        {
            try
            {
                action();
            }
            catch (T error)
            {
                return error;
            }

            throw new CheckException(what + " threw no " + typeof(T).Name);
        }

        public static async Task<T> ThrowsAsync<T>(Func<Task> action)
            where T : Exception
        {
            try
            {
                await action();
            }
            catch (T error)
            {
                return error;
            }

            throw new CheckException("nothing threw a " + typeof(T).Name);
        }

        /// <summary>Waits until it is so; fails after so many seconds.</summary>
        public static async Task SoonAsync(Func<bool> isSo, string what, double seconds = 5)
        {
            Stopwatch clock = Stopwatch.StartNew();
            while (!isSo())
            {
                True(clock.Elapsed.TotalSeconds < seconds, what + " within " + seconds + " s");
                await Task.Delay(5);
            }
        }

        public static async Task<T> InTimeAsync<T>(Task<T> task, double seconds = 10)
        {
            await InTimeAsync((Task)task, seconds);
            return await task;
        }

        public static async Task InTimeAsync(Task task, double seconds = 10)
        {
            // No timer stays behind: mono sorts those that it has, and a sort that is under way at
            // the end of main ends the process with an exception.
            using var stop = new CancellationTokenSource();
            Task first = await Task.WhenAny(
                task, Task.Delay(TimeSpan.FromSeconds(seconds), stop.Token));
            stop.Cancel();
            True(first == task, "done within " + seconds + " s");
            await task;
        }
    }
}
