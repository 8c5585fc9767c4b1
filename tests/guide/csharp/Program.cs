// SPDX-License-Identifier: Apache-2.0
//
// Starts one of the guide's programs: `Guide CLASS`.
using System;
using System.Reflection;
using System.Threading.Tasks;

namespace Martlet.Tests.Guide
{
    internal static class Program
    {
        private static async Task<int> Main(string[] words)
        {
            string name = words.Length == 1 ? words[0] : string.Empty;
            MethodInfo? main = typeof(Program).Assembly.GetType(name)?.GetMethod(
                "Main", BindingFlags.Static | BindingFlags.NonPublic);
            if (main == null)
            {
                Console.Error.WriteLine("no program '" + name + "'");
                return 2;
            }

            await (Task)main.Invoke(null, null);
            return 0;
        }
    }
}
