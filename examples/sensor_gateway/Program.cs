// SPDX-License-Identifier: Apache-2.0
//
// The program: a broker, a gateway that publishes to it, and the order of their end. See README.md.
using System;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks;

namespace Martlet.Examples.SensorGateway
{
    internal static class Program
    {
        private const string Status = "gateway.status";

        private static readonly TimeSpan EndLongest = TimeSpan.FromSeconds(5);

        private static async Task<int> Main(string[] words)
        {
            GatewayOptions options;
            try
            {
                options = GatewayOptions.Parse(words);
            }
            catch (UsageException wrong)
            {
                Tell(wrong.Message + "\n" + GatewayOptions.Usage);
                return 2;
            }

            using var termination = new Termination();
            int status = 0;
            try
            {
                await RunAsync(options, termination.Asked);
            }
            catch (Exception failure) when (IsOfTheWorld(failure))
            {
                Tell(failure.Message);
                status = 1;
            }

            Environment.ExitCode = status; // For an end by a signal, which Main does not decide.
            return status;
        }

        private static async Task RunAsync(GatewayOptions options, Task asked)
        {
            IReadOnlyDictionary<string, Bounds> bounds = options.BoundsFile == null
                ? new Dictionary<string, Bounds>()
                : Bounds.ReadFile(options.BoundsFile);
            string? token = Environment.GetEnvironmentVariable("SENSOR_GATEWAY_TOKEN");
            var broker = new MartletServerOptions
            {
                Host = options.Host.ToString(), Port = options.NatsPort, Token = token,
            };
            await using MartletServer server = MartletServer.Start(broker);
            await using MartletConnection connection = await MartletConnection.ConnectAsync(
                server, new MartletConnectionOptions { Name = "sensor gateway", Token = token });
            using Gateway gateway = Open(connection, bounds, options);
            connection.Subscribe(
                Status, async message => await message.ReplyAsync(gateway.Counts.ToJson()));
            await connection.FlushAsync();
            Console.Out.WriteLine("broker: " + server.Url);
            Console.Out.WriteLine("sensors: " + gateway.Address);
            Console.Out.Flush();
            Task running = gateway.RunAsync();
            await Task.WhenAny(running, asked);
            await gateway.StopAsync(EndLongest, running);
            await connection.DrainAsync(EndLongest);
            if (gateway.Counts.Rejected > 0)
            {
                Tell(gateway.Counts.Rejected + " lines were rejected");
            }
        }

        private static Gateway Open(
            MartletConnection connection,
            IReadOnlyDictionary<string, Bounds> bounds,
            GatewayOptions options)
        {
            var listen = new IPEndPoint(options.Host, options.UdpPort);
            try
            {
                return new Gateway(connection, bounds, listen, options.SensorsMax);
            }
            catch (SocketException refused)
            {
                throw new IOException("UDP " + listen + ": " + refused.Message, refused);
            }
        }

        private static bool IsOfTheWorld(Exception failure) =>
            failure is MartletException || failure is IOException || failure is SocketException
            || failure is FormatException || failure is UnauthorizedAccessException;

        private static void Tell(string text) =>
            Console.Error.WriteLine("sensor_gateway: " + text);
    }
}
