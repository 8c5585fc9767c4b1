// SPDX-License-Identifier: Apache-2.0
//
// Owns the dump of the raw layer, as tests/surface/README.md describes it: `Martlet.Tests surface`.
// Everything comes from the assembly by reflection.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Martlet.Tests
{
    public static class Surface
    {
        private const BindingFlags Static =
            BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public;

        private static readonly Assembly Package = typeof(MartletServer).Assembly;

        public static void Print()
        {
            FieldInfo[] numbers = Package.GetType("Martlet.Raw.Abi", true)!.GetFields(Static);
            MethodInfo fromStatus = typeof(MartletException).GetMethod("FromStatus", Static)!;
            IEnumerable<string> exceptions = numbers
                .Where(field => field.Name.StartsWith("Err", StringComparison.Ordinal))
                .Select(field => Member(
                    field.Name,
                    Quoted(KindOf(fromStatus, (int)field.GetRawConstantValue()!))));
            IEnumerable<string> values = numbers.Select(
                field => Member(field.Name, field.GetRawConstantValue()!.ToString()));
            Console.WriteLine("{" + string.Join(",", new[]
            {
                Member("language", Quoted("csharp")),
                Member("version", Quoted(MartletLibrary.Version)),
                Member("functions", Object(Functions())),
                Member("instead", Object(new string[0])),
                Member("exceptions", Object(exceptions)),
                Member("base_exception", Quoted(KindOf(fromStatus, int.MinValue))),
                Member("numbers", Object(values)),
            }) + "}");
        }

        /// <summary>Every DllImport of the raw layer that has a C function's name, SWIG's and ours.
        /// The library has been loaded, so each is looked up in it.</summary>
        private static IEnumerable<string> Functions()
        {
            var names = new SortedDictionary<string, string>(StringComparer.Ordinal);
            foreach (Type type in Package.GetTypes().Where(type => type.Namespace == "Martlet.Raw"))
            {
                foreach (MethodInfo method in type.GetMethods(Static))
                {
                    if (method.GetCustomAttribute<DllImportAttribute>() != null
                        && method.Name.StartsWith("martlet_", StringComparison.Ordinal))
                    {
                        Marshal.Prelink(method);
                        names.Add(
                            method.Name,
                            Member(method.Name, "[" + Quoted(type.Name + "." + method.Name) + "]"));
                    }
                }
            }

            return names.Values;
        }

        private static string KindOf(MethodInfo fromStatus, int status) =>
            fromStatus.Invoke(null, new object[] { status, "a text" })!.GetType().FullName!;

        private static string Member(string name, string? value) => Quoted(name) + ":" + value;

        private static string Object(IEnumerable<string> members) =>
            "{" + string.Join(",", members) + "}";

        private static string Quoted(string text) => "\"" + text + "\"";
    }
}
