// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading.Tasks;
using Martlet;
using Martlet.Testing;

// guide: begin
// As with NUnit, MSTest or xUnit; the attributes of the one you use are left out.
public class GreetingTests
{
    public async Task A_greeting_arrives()
    {
        await using var broker = new MartletServerFixture();
        MartletConnection connection = await broker.ConnectAsync();
        var greetings = connection.SubscribeAsync("greet.*");
        await connection.PublishAsync("greet.world", "hello");
        Assert.AreEqual("hello", (await greetings.NextAsync()).Text);
    }

    public async Task Each_test_has_a_broker_of_its_own()
    {
        await using var broker = new MartletServerFixture();
        Assert.AreEqual(0L, broker.Server.GetStatistics().InMessages);
    }
}
// guide: end

/// <summary>Stands in for a test framework's.</summary>
internal static class Assert
{
    internal static void AreEqual(object wanted, object got)
    {
        if (!wanted.Equals(got))
        {
            throw new InvalidOperationException("wanted " + wanted + ", got " + got);
        }
    }
}

internal static class BrokerPerTest
{
    private static async Task Main()
    {
        var tests = new GreetingTests();
        int passed = 0;
        int failed = 0;
        foreach (Func<Task> test in new Func<Task>[]
            { tests.A_greeting_arrives, tests.Each_test_has_a_broker_of_its_own })
        {
            try
            {
                await test();
                passed++;
            }
            catch (InvalidOperationException error)
            {
                Console.Error.WriteLine(error.Message);
                failed++;
            }
        }

        Console.WriteLine(passed + " passed, " + failed + " failed");
    }
}
