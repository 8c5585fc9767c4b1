// SPDX-License-Identifier: Apache-2.0
//
// Goal: what README.md shows of the package runs as it is written. Method: the page has its text
// from here (tools/guide_snippets.py); what it prints is caught.
using System;
using System.IO;
using System.Threading.Tasks;

namespace Martlet.Tests
{
    public sealed class ReadmeTests
    {
        [Fact]
        public async Task TheProgramPrintsWhatItGot()
        {
            var printed = new StringWriter();
            TextWriter before = Console.Out;
            Console.SetOut(printed);
            try
            {
                await ProgramAsync();
            }
            finally
            {
                Console.SetOut(before);
            }

            Check.Equal("greet.world: hello" + Environment.NewLine, printed.ToString());
        }

        private static async Task ProgramAsync()
        {
            // guide: begin
            using MartletServer server = MartletServer.Start();
            await using MartletConnection connection =
                await MartletConnection.ConnectAsync(server);

            MartletSubscription greetings = connection.SubscribeAsync("greet.*");
            await connection.PublishAsync("greet.world", "hello");
            await foreach (MartletMessage message in greetings)
            {
                Console.WriteLine(message.Subject + ": " + message.Text);
                break;
            }

            // guide: end
        }
    }
}
