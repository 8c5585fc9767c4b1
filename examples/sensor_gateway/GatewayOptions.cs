// SPDX-License-Identifier: Apache-2.0
//
// Owns the command line.
using System;
using System.Globalization;
using System.Net;

namespace Martlet.Examples.SensorGateway
{
    /// <summary>The command line cannot be understood; the text says what of it.</summary>
    internal sealed class UsageException : Exception
    {
        public UsageException(string message)
            : base(message)
        {
        }
    }

    internal sealed class GatewayOptions
    {
        public const string Usage =
            "usage: SensorGateway [OPTION...]\n"
            + "  --host ADDRESS  to listen on, for sensors and clients (127.0.0.1)\n"
            + "  --udp-port N    for sensors; 0: any free one (8094)\n"
            + "  --nats-port N   for clients; 0: any free one (4222)\n"
            + "  --bounds FILE   when to raise alarms: lines KIND LOW HIGH HYSTERESIS\n"
            + "  --sensors N     different sensors and kinds at most (10000)\n"
            + "SENSOR_GATEWAY_TOKEN in the environment: the token that clients must bring\n"
            + "A datagram has lines of a sensor, a kind and a value: boiler-1 temperature 61.5";

        public IPAddress Host { get; private set; } = IPAddress.Loopback;

        public int UdpPort { get; private set; } = 8094;

        public int NatsPort { get; private set; } = 4222;

        public string? BoundsFile { get; private set; }

        public int SensorsMax { get; private set; } = 10_000;

        /// <exception cref="UsageException">It cannot be understood.</exception>
        public static GatewayOptions Parse(string[] words)
        {
            var options = new GatewayOptions();
            for (int at = 0; at < words.Length; at += 2)
            {
                string name = words[at];
                string value = at + 1 < words.Length ? words[at + 1] : string.Empty;
                if (value.Length == 0)
                {
                    throw new UsageException(name + " lacks its value");
                }

                options.Set(name, value);
            }

            return options;
        }

        private void Set(string name, string value)
        {
            switch (name)
            {
                case "--host":
                    Host = IPAddress.TryParse(value, out IPAddress? address)
                        ? address
                        : throw new UsageException("--host must be an address, not " + value);
                    break;
                case "--udp-port":
                    UdpPort = Number(name, value, 0, 65_535);
                    break;
                case "--nats-port":
                    NatsPort = Number(name, value, 0, 65_535);
                    break;
                case "--bounds":
                    BoundsFile = value;
                    break;
                case "--sensors":
                    SensorsMax = Number(name, value, 1, 1_000_000);
                    break;
                default:
                    throw new UsageException("no option " + name);
            }
        }

        private static int Number(string name, string value, int min, int max)
        {
            bool isNumber = int.TryParse(
                value, NumberStyles.None, CultureInfo.InvariantCulture, out int number);
            if (!isNumber || number < min || number > max)
            {
                throw new UsageException(
                    $"{name} must be a number from {min} to {max}, not {value}");
            }

            return number;
        }
    }
}
