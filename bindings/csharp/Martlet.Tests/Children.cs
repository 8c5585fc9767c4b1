// SPDX-License-Identifier: Apache-2.0
//
// Owns the programs whose ends are tested: `Martlet.Tests child SCENARIO`.
using System;

namespace Martlet.Tests
{
    public static class Children
    {
        public static int Run(string[] arguments)
        {
            throw new ArgumentException("no scenario " + arguments[0]);
        }
    }
}
