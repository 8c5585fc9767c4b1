// SPDX-License-Identifier: Apache-2.0
//
// Owns the other end of a measurement over TCP: a bare socket that sends bytes made before, or
// echoes requests, so that only one client of ours is under load. As in client_rates.cpp.
using System;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Threading;

namespace Martlet.Tests
{
    internal sealed class BareClient : IDisposable
    {
        private const int ChunkBytes = 64 * 1024;

        private readonly Socket socket =
            new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
            {
                NoDelay = true,
            };

        private readonly byte[] buffer = new byte[ChunkBytes];
        private Thread? serving;

        internal BareClient(Uri url)
        {
            socket.Connect(url.Host, url.Port);
            Send("CONNECT {\"verbose\":false,\"protocol\":1,\"headers\":true,"
                + "\"no_responders\":true}\r\nPING\r\n");
            Until("PONG\r\n");
        }

        public void Dispose()
        {
            // .NET 3.1 may wait for ever in the end of a socket that another thread reads.
            socket.Shutdown(SocketShutdown.Both);
            serving?.Join();
            socket.Dispose();
        }

        /// <summary>Publishes at least so many messages, as fast as the socket takes them.
        /// </summary>
        internal void Publish(string subject, int payloadBytes, int messages)
        {
            byte[] one = Encoding.ASCII.GetBytes(
                "PUB " + subject + " " + payloadBytes + "\r\n" + new string('x', payloadBytes)
                + "\r\n");
            int count = ChunkBytes / one.Length;
            byte[] chunk = new byte[count * one.Length];
            for (int i = 0; i < count; i++)
            {
                one.CopyTo(chunk, i * one.Length);
            }

            for (int sent = 0; sent < messages; sent += count)
            {
                Send(chunk);
            }

            Send("PING\r\n");
            Until("PONG\r\n");
        }

        /// <summary>Answers requests on a thread of its own until it is disposed.</summary>
        internal void Echo(string subject)
        {
            Send("SUB " + subject + " 1\r\nPING\r\n");
            Until("PONG\r\n");
            string begin = "MSG " + subject + " 1 ";
            serving = new Thread(() => Serve(begin)) { IsBackground = true, Name = "echo" };
            serving.Start();
        }

        private void Serve(string begin)
        {
            string come = string.Empty;
            try
            {
                while (true)
                {
                    int end = come.IndexOf("\r\n", StringComparison.Ordinal);
                    if (end < 0)
                    {
                        come += Receive();
                        continue;
                    }

                    string line = come.Substring(0, end);
                    come = come.Substring(end + 2);
                    if (line.StartsWith(begin, StringComparison.Ordinal))
                    {
                        // The payload is a line too, one that asks for nothing.
                        string[] words = line.Split(' ');
                        int bytes = int.Parse(words[4], CultureInfo.InvariantCulture);
                        Send("PUB " + words[3] + " " + bytes + "\r\n" + new string('x', bytes)
                            + "\r\n");
                    }
                    else if (line == "PING")
                    {
                        Send("PONG\r\n");
                    }
                }
            }
            catch (Exception error)
                when (error is SocketException || error is ObjectDisposedException)
            {
                return;
            }
        }

        private void Send(string text) => Send(Encoding.ASCII.GetBytes(text));

        private void Send(byte[] bytes)
        {
            for (int sent = 0; sent < bytes.Length;)
            {
                sent += socket.Send(bytes, sent, bytes.Length - sent, SocketFlags.None);
            }
        }

        private string Receive()
        {
            int got = socket.Receive(buffer);
            return got > 0
                ? Encoding.ASCII.GetString(buffer, 0, got)
                : throw new SocketException((int)SocketError.ConnectionReset);
        }

        private void Until(string mark)
        {
            string seen = string.Empty;
            while (!seen.Contains(mark))
            {
                seen += Receive();
            }
        }
    }
}
