// SPDX-License-Identifier: Apache-2.0
//
// The TLS of .NET, or of mono, beside ours: see tests/packages/host_tls.py.
using System;
using System.IO;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Threading.Tasks;
using Martlet;

public sealed class TlsBeside
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    private readonly X509Certificate2 own;
    private readonly X509Certificate2 trusted;
    private int pages;
    private int logins;

    private TlsBeside(string folder, string trusted)
    {
        own = new X509Certificate2(Path.Combine(folder, "server.p12"), "loopback");
        this.trusted = new X509Certificate2(Path.Combine(folder, trusted + ".pem"));
    }

    public static async Task RunAsync(string[] words)
    {
        var program = new TlsBeside(words[0], words[1]);
        await program.RunAsync(words[0], words[2]);
    }

    private static MartletServer Start(string folder, string name) =>
        MartletServer.Start(new MartletServerOptions
        {
            Configuration = File.ReadAllText(Path.Combine(folder, name + ".conf")),
        });

    private async Task RunAsync(string folder, string password)
    {
        for (int number = 0; number < 5; number++)
        {
            await AskAsync(number);
        }

        using (MartletServer hashed = Start(folder, "hashed"))
        using (MartletServer plain = Start(folder, "plain"))
        {
            for (int number = 0; number < 20; number++)
            {
                Task asked = AskAsync(number);
                await LogInAsync(hashed, password);
                await LogInAsync(plain, "as it is");
                await asked;
            }
        }

        for (int number = 0; number < 5; number++)
        {
            await AskAsync(number);
        }

        Console.WriteLine(pages + " pages, " + logins + " logins");
    }

    private async Task LogInAsync(MartletServer server, string password)
    {
        var options = new MartletConnectionOptions
        {
            Url = server.Url, User = "u", Password = password, ConnectTimeout = Longest,
        };
        await using (MartletConnection connection = await MartletConnection.ConnectAsync(options))
        {
            await connection.FlushAsync(Longest);
        }

        logins++;
    }

    /// <summary>A handshake and a page: HTTP over SslStream, as both runtimes have it.</summary>
    private async Task AskAsync(int number)
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        try
        {
            using var near = new TcpClient();
            Task answering = AnswerAsync(listener);
            await near.ConnectAsync(
                IPAddress.Loopback, ((IPEndPoint)listener.LocalEndpoint).Port);
            using var client = new SslStream(
                near.GetStream(),
                false,
                (sender, shown, chain, errors) =>
                    shown.GetCertHashString() == trusted.GetCertHashString());
            await client.AuthenticateAsClientAsync("localhost", null, SslProtocols.Tls12, false);
            byte[] request = Encoding.ASCII.GetBytes(
                "GET /" + number + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
            await client.WriteAsync(request, 0, request.Length);
            string answer = await new StreamReader(client).ReadToEndAsync();
            if (!answer.StartsWith("HTTP/1.1 200 OK\r\n", StringComparison.Ordinal)
                || !answer.EndsWith("\r\n\r\nanswer to /" + number, StringComparison.Ordinal))
            {
                throw new InvalidOperationException("another page: " + answer);
            }

            await answering;
            pages++;
        }
        finally
        {
            listener.Stop();
        }
    }

    /// <summary>One page to one client, which then is told that this was all.</summary>
    private async Task AnswerAsync(TcpListener listener)
    {
        using TcpClient far = await listener.AcceptTcpClientAsync();
        using var host = new SslStream(far.GetStream());
        await host.AuthenticateAsServerAsync(own, false, SslProtocols.Tls12, false);
        var reader = new StreamReader(host);
        string path = (await reader.ReadLineAsync()).Split(' ')[1];
        while (!string.IsNullOrEmpty(await reader.ReadLineAsync()))
        {
        }

        byte[] answer = Encoding.ASCII.GetBytes(
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nanswer to " + path);
        await host.WriteAsync(answer, 0, answer.Length);
    }
}
