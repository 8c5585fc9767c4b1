// SPDX-License-Identifier: Apache-2.0
//
// One assembly for all that is asked of the package: the first word says what, the others go there.
using System;
using System.Linq;
using System.Threading.Tasks;

public static class Program
{
    public static async Task<int> Main(string[] words)
    {
        string[] others = words.Skip(1).ToArray();
        try
        {
            switch (words[0])
            {
                case "exchange":
                    await Exchange.RunAsync();
                    return 0;
                case "tls_beside":
                    await TlsBeside.RunAsync(others);
                    return 0;
                case "surface":
                    Martlet.Tests.Surface.Print();
                    return 0;
                default:
                    throw new ArgumentException(words[0]);
            }
        }
        catch (Exception error)
        {
            Console.Error.WriteLine(error);
            return 1;
        }
    }
}
