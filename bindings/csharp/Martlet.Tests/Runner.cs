// SPDX-License-Identifier: Apache-2.0
//
// Owns how the tests run: every method with [Fact], on an instance of its own, within a time; one
// that takes a Broker runs over each kind of broker. Ends with a line 'N passed, N failed'. It is
// our own because a test framework would need a package feed.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Reflection;
using System.Runtime.ExceptionServices;
using System.Threading.Tasks;

namespace Martlet.Tests
{
    /// <summary>A test: a public method without arguments, or with one Broker.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    public sealed class FactAttribute : Attribute
    {
        public int Seconds { get; set; } = 60;
    }

    public static class Runner
    {
        /// <summary>Some tests say what mono itself cannot.</summary>
        public static readonly bool IsMono = Type.GetType("Mono.Runtime") != null;

        public static int Main(string[] arguments)
        {
            if (arguments.Length > 0 && arguments[0] == "child")
            {
                return Children.Run(arguments.Skip(1).ToArray());
            }

            if (arguments.Length > 0 && arguments[0] == "measure")
            {
                Measure.RunAsync(arguments.Skip(1).ToArray()).GetAwaiter().GetResult();
                return 0;
            }

            if (arguments.Length > 0 && arguments[0] == "surface")
            {
                Surface.Print();
                return 0;
            }

            int passed = 0;
            int failed = 0;
            foreach ((string name, Func<Task> run, int seconds) in Find(arguments))
            {
                Stopwatch clock = Stopwatch.StartNew();
                Exception? failure = RunOne(run, seconds);
                if (failure == null)
                {
                    passed++;
                    Console.WriteLine("ok     " + name + ", " + clock.ElapsedMilliseconds + " ms");
                }
                else
                {
                    failed++;
                    Console.WriteLine("FAILED " + name + ": " + failure);
                }
            }

            Console.WriteLine(passed + " passed, " + failed + " failed");
            return failed == 0 && passed > 0 ? 0 : 1;
        }

        private static IEnumerable<(string Name, Func<Task> Run, int Seconds)> Find(
            string[] wanted)
        {
            foreach (Type type in typeof(Runner).Assembly.GetTypes().OrderBy(type => type.Name))
            {
                foreach (MethodInfo method in type.GetMethods())
                {
                    FactAttribute? fact = method.GetCustomAttribute<FactAttribute>();
                    if (fact == null)
                    {
                        continue;
                    }

                    foreach (BrokerKind? kind in KindsOf(method))
                    {
                        string name = type.Name + "." + method.Name
                            + (kind == null ? string.Empty : " " + kind);
                        if (wanted.Length == 0 || wanted.Any(part => name.Contains(part)))
                        {
                            yield return (name, () => RunMethod(type, method, kind), fact.Seconds);
                        }
                    }
                }
            }
        }

        private static IEnumerable<BrokerKind?> KindsOf(MethodInfo method)
        {
            if (method.GetParameters().Length == 0)
            {
                return new BrokerKind?[] { null };
            }

            return Enum.GetValues(typeof(BrokerKind)).Cast<BrokerKind?>();
        }

        private static async Task RunMethod(Type type, MethodInfo method, BrokerKind? kind)
        {
            object instance = Activator.CreateInstance(type)!;
            try
            {
                if (kind == null)
                {
                    await Invoke(instance, method);
                    return;
                }

                using (Broker broker = Broker.Start(kind.Value))
                {
                    await Invoke(instance, method, broker);
                }
            }
            finally
            {
                (instance as IDisposable)?.Dispose();
            }
        }

        private static async Task Invoke(
            object instance, MethodInfo method, params object[] arguments)
        {
            try
            {
                if (method.Invoke(instance, arguments) is Task task)
                {
                    await task;
                }
            }
            catch (TargetInvocationException error) when (error.InnerException != null)
            {
                ExceptionDispatchInfo.Capture(error.InnerException).Throw();
            }
        }

        private static Exception? RunOne(Func<Task> run, int seconds)
        {
            try
            {
                Task task = Task.Run(run);
                return task.Wait(TimeSpan.FromSeconds(seconds))
                    ? null
                    : new TimeoutException("longer than " + seconds + " s");
            }
            catch (AggregateException error) when (error.InnerException != null)
            {
                return error.InnerException;
            }
        }
    }
}
