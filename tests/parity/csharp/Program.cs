// SPDX-License-Identifier: Apache-2.0
//
// Owns how the parity runner of C# starts, and what stands around the steps: the scenarios, the
// file of transcripts, and run.py, which is asked for servers (tests/parity/README.md). Callbacks
// are asynchronous or not, by --form.
// Martlet.Parity --form async|sync --scenarios FOLDER --mode MODE --out FILE [--only NAMES]
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading.Tasks;

namespace Martlet.Parity
{
    public static class Program
    {
        private static readonly object Asking = new object();

        public static async Task<int> Main(string[] words)
        {
            var arguments = new Dictionary<string, string>();
            for (int i = 0; i + 1 < words.Length; i += 2)
            {
                arguments[words[i]] = words[i + 1];
            }

            string mode = arguments["--mode"];
            bool isSync = arguments["--form"] == "sync";
            string[]? only = arguments.TryGetValue("--only", out string? names)
                ? names!.Split(',')
                : null;
            using StreamWriter file = File.CreateText(arguments["--out"]);
            file.AutoFlush = true;
            foreach (string path in Directory.GetFiles(arguments["--scenarios"], "*.json")
                .OrderBy(path => path, StringComparer.Ordinal))
            {
                string name = Path.GetFileNameWithoutExtension(path);
                if (only == null || only.Contains(name))
                {
                    Dictionary<string, object?> line = await PlayAsync(path, mode, isSync);
                    line["scenario"] = name;
                    file.Write(Json.Write(line) + "\n");
                }
            }

            return 0;
        }

        /// <summary>Asks run.py for something of a server process; its URL. Nothing goes on without
        /// an answer.</summary>
        internal static string Ask(Dictionary<string, object?> request)
        {
            lock (Asking)
            {
                Console.Out.Write(Json.Write(request) + "\n");
                Console.Out.Flush();
                Json answer = Json.Parse(Console.In.ReadLine() ?? "{\"error\": \"no answer\"}");
                if (answer.Get("error") is Json error)
                {
                    Console.Error.WriteLine("no server: " + Json.Write(error));
                    Environment.Exit(1);
                }

                return answer.Get("url")?.Text ?? "";
            }
        }

        private static async Task<Dictionary<string, object?>> PlayAsync(
            string path, string mode, bool isSync)
        {
            Json scenario = Json.Parse(File.ReadAllText(path));
            var line = new Dictionary<string, object?>();
            if (scenario.Get("not_in")?.Get(mode) is Json reason)
            {
                line["skipped"] = reason.Text;
                return line;
            }

            var play = new Play(mode == "in_process", isSync);
            var transcript = new List<object?>();
            try
            {
                foreach (Json step in scenario["steps"].Items)
                {
                    transcript.Add(await play.GiveAsync(new Step(step), null));
                }
            }
            finally
            {
                await play.FinishAsync();
            }

            line["transcript"] = transcript;
            return line;
        }
    }
}
