// SPDX-License-Identifier: Apache-2.0
//
// Owns the way of a line: from a datagram to the subjects it belongs on.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks;

namespace Martlet.Examples.SensorGateway
{
    /// <summary>Reads datagrams and publishes what they say: <c>sensor.SENSOR.KIND</c> for each
    /// value, <c>alarm.SENSOR.KIND</c> when a bound is crossed, <c>gateway.dead</c> for a line that
    /// is none. Lifecycle: make, RunAsync, Stop, Dispose. One task runs it; Stop may be called by
    /// any.</summary>
    internal sealed class Gateway : IDisposable
    {
        public const string DeadLetters = "gateway.dead";

        private const int DatagramBytesMax = 65_536;
        private const int ReceiveBufferBytes = 4 << 20;

        private readonly MartletConnection connection;
        private readonly IReadOnlyDictionary<string, Bounds> bounds;
        private readonly int sensorsMax;
        private readonly Socket socket;
        private readonly byte[] buffer = new byte[DatagramBytesMax];
        private readonly Dictionary<(string Sensor, string Kind), Source> sources =
            new Dictionary<(string Sensor, string Kind), Source>();

        private volatile bool isStopping;

        /// <summary>Opens the port.</summary>
        /// <exception cref="SocketException">It is taken, or the address is not ours.</exception>
        public Gateway(
            MartletConnection connection,
            IReadOnlyDictionary<string, Bounds> bounds,
            IPEndPoint listen,
            int sensorsMax)
        {
            this.connection = connection;
            this.bounds = bounds;
            this.sensorsMax = sensorsMax;
            socket = new Socket(listen.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            try
            {
                // On mono every socket would share its port with others.
                socket.SetSocketOption(
                    SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, false);
                socket.ReceiveBufferSize = ReceiveBufferBytes; // As much of it as the system gives.
                socket.Bind(listen);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }

        public Counts Counts { get; } = new Counts();

        /// <summary>Where sensors send to.</summary>
        public IPEndPoint Address => (IPEndPoint)socket.LocalEndPoint;

        /// <summary>Until Stop. A publish that has to wait for room makes this wait, and the system
        /// then drops datagrams: nothing piles up here.</summary>
        public async Task RunAsync()
        {
            EndPoint anybody = new IPEndPoint(
                socket.AddressFamily == AddressFamily.InterNetworkV6
                    ? IPAddress.IPv6Any
                    : IPAddress.Any,
                0);
            while (true)
            {
                SocketReceiveFromResult received;
                try
                {
                    received = await socket.ReceiveFromAsync(
                        new ArraySegment<byte>(buffer), SocketFlags.None, anybody);
                }
                catch (Exception error) when (
                    isStopping && (error is SocketException || error is ObjectDisposedException))
                {
                    return;
                }

                if (received.ReceivedBytes == 0 && isStopping)
                {
                    return;
                }

                Counts.AddDatagram();
                await TakeDatagramAsync(received.ReceivedBytes, received.RemoteEndPoint);
            }
        }

        /// <summary>Ends RunAsync after what has arrived: an empty datagram to ourselves stands
        /// behind it. If the system has no room even for that, the socket is closed.</summary>
        /// <param name="longest">How long what has arrived may take.</param>
        /// <param name="running">What RunAsync gave.</param>
        public async Task StopAsync(TimeSpan longest, Task running)
        {
            isStopping = true;
            using (var sender = new Socket(
                socket.AddressFamily, SocketType.Dgram, ProtocolType.Udp))
            {
                sender.SendTo(Array.Empty<byte>(), Reachable(Address));
            }

            if (await Task.WhenAny(running, Task.Delay(longest)) != running)
            {
                socket.Dispose();
            }

            await running;
        }

        public void Dispose() => socket.Dispose();

        /// <summary>A socket that listens on every address is reached by the loopback one.
        /// </summary>
        private static IPEndPoint Reachable(IPEndPoint address)
        {
            if (address.Address.Equals(IPAddress.Any))
            {
                return new IPEndPoint(IPAddress.Loopback, address.Port);
            }

            return address.Address.Equals(IPAddress.IPv6Any)
                ? new IPEndPoint(IPAddress.IPv6Loopback, address.Port)
                : address;
        }

        private async Task TakeDatagramAsync(int count, EndPoint from)
        {
            int begin = 0;
            while (begin < count)
            {
                int end = Array.IndexOf(buffer, (byte)'\n', begin, count - begin);
                end = end < 0 ? count : end;
                if (end > begin)
                {
                    await TakeLineAsync(new ReadOnlyMemory<byte>(buffer, begin, end - begin), from);
                }

                begin = end + 1;
            }
        }

        private async Task TakeLineAsync(ReadOnlyMemory<byte> bytes, EndPoint from)
        {
            string? problem = SensorLine.Read(bytes.Span, out SensorLine line);
            Source? source = null;
            if (problem == null && (source = SourceOf(line)) == null)
            {
                problem = "more than " + sensorsMax + " sensors and kinds";
            }

            if (problem != null)
            {
                await RejectAsync(bytes, problem, from);
                return;
            }

            Counts.AddPublished(); // Before anybody can have got it.
            await connection.PublishAsync(source!.Subject, line.Text);
            await RaiseAsync(source, line);
        }

        private Source? SourceOf(SensorLine line)
        {
            if (sources.TryGetValue((line.Sensor, line.Kind), out Source? known))
            {
                return known;
            }

            if (sources.Count >= sensorsMax)
            {
                return null;
            }

            bounds.TryGetValue(line.Kind, out Bounds? its);
            var made = new Source(line.Sensor + "." + line.Kind, its);
            sources.Add((line.Sensor, line.Kind), made);
            Counts.SetSensors(sources.Count);
            return made;
        }

        private async Task RejectAsync(ReadOnlyMemory<byte> bytes, string problem, EndPoint from)
        {
            Counts.AddRejected();
            var headers = new MartletHeaders();
            headers.Add("Reason", problem);
            headers.Add("From", from.ToString() ?? string.Empty);
            ReadOnlyMemory<byte> shown =
                bytes.Length > SensorLine.BytesMax ? bytes.Slice(0, SensorLine.BytesMax) : bytes;
            await connection.PublishAsync(DeadLetters, shown, headers);
        }

        /// <summary>Tells of a change of state, with the bound that it is about.</summary>
        private async Task RaiseAsync(Source source, SensorLine line)
        {
            if (source.Bounds == null)
            {
                return;
            }

            AlarmState before = source.State;
            AlarmState now = source.Bounds.Next(before, line.Value);
            if (now == before)
            {
                return;
            }

            source.State = now;
            AlarmState about = now == AlarmState.Normal ? before : now;
            double bound = about == AlarmState.High ? source.Bounds.High : source.Bounds.Low;
            Counts.AddAlarm();
            await connection.PublishAsync(
                source.AlarmSubject,
                "{\"state\":\"" + NameOf(now) + "\",\"value\":" + Number(line.Value)
                + ",\"bound\":" + Number(bound) + "}");
        }

        private static string NameOf(AlarmState state) => state switch
        {
            AlarmState.Low => "low",
            AlarmState.High => "high",
            _ => "normal",
        };

        private static string Number(double value) =>
            value.ToString("R", CultureInfo.InvariantCulture);

        /// <summary>One kind of value of one sensor.</summary>
        private sealed class Source
        {
            public Source(string name, Bounds? bounds)
            {
                Subject = "sensor." + name;
                AlarmSubject = "alarm." + name;
                Bounds = bounds;
            }

            public string Subject { get; }

            public string AlarmSubject { get; }

            public Bounds? Bounds { get; }

            public AlarmState State { get; set; }
        }
    }
}
