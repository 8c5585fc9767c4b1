// SPDX-License-Identifier: Apache-2.0
//
// Goal: every status has an exception of its own, and the package shows just what it means to show.
// Method: reflection.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;

namespace Martlet.Tests
{
    public sealed class SurfaceTests
    {
        private static readonly Assembly Package = typeof(MartletServer).Assembly;

        [Fact]
        public void EveryStatusHasItsException()
        {
            Type abi = Package.GetType("Martlet.Raw.Abi", true)!;
            MethodInfo fromStatus = typeof(MartletException).GetMethod(
                "FromStatus", BindingFlags.NonPublic | BindingFlags.Static)!;
            var kinds = new HashSet<Type>();
            foreach (FieldInfo field in abi.GetFields(
                BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public))
            {
                if (!field.Name.StartsWith("Err", StringComparison.Ordinal))
                {
                    continue;
                }

                int status = (int)field.GetRawConstantValue()!;
                var error = (MartletException)fromStatus.Invoke(
                    null, new object[] { status, "a text" })!;
                Check.Equal(status, error.Status);
                Check.Equal("a text", error.Message);
                Check.True(
                    error.GetType() != typeof(MartletException), field.Name + " has its own");
                Check.True(kinds.Add(error.GetType()), field.Name + " shares with no other");
            }

            Check.True(kinds.Count >= 26, "all of them: " + kinds.Count);
            object unknown = fromStatus.Invoke(null, new object[] { -9999, "a text" })!;
            Check.Equal(typeof(MartletException), unknown.GetType());
        }

        [Fact]
        public void OnlyTheFriendlyLayerIsPublic()
        {
            foreach (Type type in Package.GetExportedTypes())
            {
                Check.True(
                    type.Namespace == "Martlet" || type.Namespace == "Martlet.Testing",
                    type.FullName + " is public");
            }
        }

        [Fact]
        public void NeedsNoPackage()
        {
            string[] needed = Package.GetReferencedAssemblies()
                .Select(each => each.Name ?? string.Empty)
                .ToArray();
            Check.Equal("netstandard", string.Join(",", needed));
        }
    }
}
