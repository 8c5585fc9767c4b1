// SPDX-License-Identifier: Apache-2.0
//
// Goal: the TLS of the host (OpenSSL 1.1 of .NET 3.1, BoringSSL of mono) works beside the OpenSSL
// that our library has inside. Method: a handshake and a megabyte each way between two SslStreams of
// this process, before ours is used, while messages pass through a broker that checks a bcrypt
// password, and after it.
using System;
using System.Diagnostics;
using System.IO;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Tasks;

namespace Martlet.Tests
{
    public sealed class TlsTests : IDisposable
    {
        private const int Bytes = 1024 * 1024;
        private const string Password = "loopback";

        // Of "secret".
        private const string Hash = "$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";

        private readonly string folder =
            Path.Combine(Path.GetTempPath(), "martlet-" + Guid.NewGuid());

        public void Dispose() => Directory.Delete(folder, true);

        [Fact(Seconds = 120)]
        public async Task HostTlsBesideOurs()
        {
            X509Certificate2 certificate = MakeCertificate();
            await ExchangeAsync(certificate);
            using (MartletServer server = MartletServer.Start(
                new MartletServerOptions { User = "u", Password = Hash }))
            await using (MartletConnection connection = await MartletConnection.ConnectAsync(
                new MartletConnectionOptions
                {
                    Url = server.Url,
                    User = "u",
                    Password = "secret",
                }))
            {
                MartletSubscription subscription = connection.SubscribeAsync("beside");
                for (int i = 0; i < 5; i++)
                {
                    Task exchange = ExchangeAsync(certificate);
                    await connection.PublishAsync("beside", "TLS");
                    Check.Equal("TLS", (await Check.InTimeAsync(
                        subscription.NextAsync().AsTask())).Text);
                    await exchange;
                }
            }

            await ExchangeAsync(certificate);
        }

        private static async Task ExchangeAsync(X509Certificate2 certificate)
        {
            var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            try
            {
                Task<TcpClient> accepting = listener.AcceptTcpClientAsync();
                using var near = new TcpClient();
                await near.ConnectAsync(
                    IPAddress.Loopback, ((IPEndPoint)listener.LocalEndpoint).Port);
                using TcpClient far = await accepting;
                using var client = new SslStream(
                    near.GetStream(),
                    false,
                    (sender, shown, chain, errors) => shown.GetCertHashString()
                        == certificate.GetCertHashString());
                using var host = new SslStream(far.GetStream());
                await Check.InTimeAsync(
                    Task.WhenAll(
                        host.AuthenticateAsServerAsync(
                            certificate, false, SslProtocols.Tls12, false),
                        client.AuthenticateAsClientAsync(
                            "localhost", null, SslProtocols.Tls12, false)),
                    30);
                await Check.InTimeAsync(PassAsync(client, host), 30);
                await Check.InTimeAsync(PassAsync(host, client), 30);
            }
            finally
            {
                listener.Stop();
            }
        }

        private static async Task PassAsync(Stream from, Stream to)
        {
            byte[] sent = new byte[Bytes];
            new Random(1).NextBytes(sent);
            byte[] got = new byte[Bytes];
            Task sending = from.WriteAsync(sent, 0, sent.Length);
            int count = 0;
            while (count < Bytes)
            {
                int more = await to.ReadAsync(got, count, Bytes - count);
                Check.True(more > 0, "the stream goes on");
                count += more;
            }

            await sending;
            Check.True(sent.AsSpan().SequenceEqual(got), "what was sent has come");
        }

        /// <summary>One of this test alone, in the only form that both runtimes read.</summary>
        private X509Certificate2 MakeCertificate()
        {
            Directory.CreateDirectory(folder);
            string key = Path.Combine(folder, "key.pem");
            string shown = Path.Combine(folder, "certificate.pem");
            string both = Path.Combine(folder, "both.pfx");
            OpenSsl("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout " + key
                + " -out " + shown);
            OpenSsl("pkcs12 -export -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1"
                + " -passout pass:" + Password + " -inkey " + key + " -in " + shown
                + " -out " + both);
            return new X509Certificate2(both, Password);
        }

        private static void OpenSsl(string arguments)
        {
            var start = new ProcessStartInfo("/usr/bin/openssl", arguments)
            {
                UseShellExecute = false,
                RedirectStandardError = true,
            };

            // .NET's own OpenSSL is not the one of this program.
            start.Environment.Remove("LD_LIBRARY_PATH");
            using Process process = Process.Start(start)!;
            string errors = process.StandardError.ReadToEnd();
            Check.True(process.WaitForExit(60_000), "openssl ends");
            Check.True(process.ExitCode == 0, "openssl " + arguments + ": " + errors);
        }
    }
}
