// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Security.Cryptography;
using System.Text;

namespace Martlet.Examples
{
    /// <summary>What a guest publishes, and what it notes of the messages that it got; the same as
    /// notes.py, worked out again.</summary>
    internal sealed class Notes
    {
        private readonly string[] flights;
        private readonly int number;
        private readonly IncrementalHash[] chains;
        private long messages;
        private long bytes;

        public Notes(int number, int guests, string path)
        {
            this.number = number;
            flights = File.ReadAllLines(path, Encoding.ASCII);
            chains = new IncrementalHash[guests];
            for (int index = 0; index < guests; index++)
            {
                chains[index] = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            }
        }

        public bool IsComplete => messages >= flights.Length;

        public static void Tell(string more)
        {
            Console.Out.WriteLine("{\"event\": " + more + "}");
            Console.Out.Flush();
        }

        /// <summary>Subjects and payloads of this guest's share, in their order.</summary>
        public IEnumerable<(string Subject, string Payload)> Share()
        {
            for (int index = number; index < flights.Length; index += chains.Length)
            {
                int tab = flights[index].IndexOf('\t');
                yield return (
                    "flights." + number + "." + flights[index].Substring(0, tab),
                    flights[index].Substring(tab + 1));
            }
        }

        public void Add(string subject, ReadOnlySpan<byte> payload)
        {
            messages++;
            bytes += payload.Length;
            IncrementalHash chain = chains[int.Parse(subject.Split('.', 3)[1])];
            chain.AppendData(Encoding.UTF8.GetBytes(subject + " "));
            chain.AppendData(payload);
            chain.AppendData(new[] { (byte)'\n' });
        }

        public void TellResult()
        {
            using IncrementalHash whole = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach (IncrementalHash chain in chains)
            {
                whole.AppendData(chain.GetHashAndReset());
            }

            string digest = BitConverter.ToString(whole.GetHashAndReset()).Replace("-", "");
            Tell($"\"result\", \"messages\": {messages}, \"bytes\": {bytes}, "
                + $"\"digest\": \"{digest.ToLowerInvariant()}\"");
        }
    }
}
