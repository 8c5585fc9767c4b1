// SPDX-License-Identifier: Apache-2.0
//
// Owns the headers of a message: names with one or more values, in the order of the wire.
using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using Martlet.Raw;

namespace Martlet
{
    /// <summary>The headers of a message: names with one or more values. Names keep their case.
    /// Those of a message that came may be read by any number of threads.</summary>
    public sealed class MartletHeaders : IEnumerable<KeyValuePair<string, string>>
    {
        private const string Version = "NATS/1.0";

        private readonly List<KeyValuePair<string, string>> items =
            new List<KeyValuePair<string, string>>();

        /// <summary>How many name-value pairs there are.</summary>
        public int Count => items.Count;

        /// <summary>The number of the status line (503 ...), or 0.</summary>
        public int Status { get; private set; }

        /// <summary>What follows it.</summary>
        public string Description { get; private set; } = string.Empty;

        /// <summary>The first value of a name, null if there is none; to set it replaces all.
        /// </summary>
        /// <param name="name">The name, in its case.</param>
        /// <exception cref="ArgumentException">A name or value that no header can have.</exception>
        public string? this[string name]
        {
            get
            {
                foreach (KeyValuePair<string, string> item in items)
                {
                    if (item.Key == name)
                    {
                        return item.Value;
                    }
                }

                return null;
            }

            set
            {
                items.RemoveAll(item => item.Key == name);
                if (value != null)
                {
                    Add(name, value);
                }
            }
        }

        /// <summary>Adds a value to a name.</summary>
        /// <param name="name">Not empty; printable ASCII without colon and space.</param>
        /// <param name="value">No line end.</param>
        /// <exception cref="ArgumentException">A name or value that no header can have.</exception>
        public void Add(string name, string value)
        {
            if (name == null)
            {
                throw new ArgumentNullException(nameof(name));
            }

            if (value == null)
            {
                throw new ArgumentNullException(nameof(value));
            }

            if (!IsName(name))
            {
                throw new ArgumentException(
                    "the header name '" + name + "' is empty, or holds a colon, a space or what is"
                    + " not printable ASCII",
                    nameof(name));
            }

            if (value.IndexOfAny(new[] { '\r', '\n' }) >= 0)
            {
                throw new ArgumentException(
                    "the value of header '" + name + "' holds a line end", nameof(value));
            }

            items.Add(new KeyValuePair<string, string>(name, value));
        }

        /// <summary>Every value of a name, in order.</summary>
        /// <param name="name">The name, in its case.</param>
        /// <returns>An empty list if there is none.</returns>
        public IReadOnlyList<string> GetValues(string name)
        {
            var values = new List<string>();
            foreach (KeyValuePair<string, string> item in items)
            {
                if (item.Key == name)
                {
                    values.Add(item.Value);
                }
            }

            return values;
        }

        /// <inheritdoc/>
        public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => items.GetEnumerator();

        /// <inheritdoc/>
        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        private static bool IsName(string name)
        {
            foreach (char c in name)
            {
                if (c <= ' ' || c > '~' || c == ':')
                {
                    return false;
                }
            }

            return name.Length > 0;
        }

        /// <summary>The block as on the wire.</summary>
        internal byte[] ToBytes()
        {
            var text = new StringBuilder(Version + "\r\n");
            foreach (KeyValuePair<string, string> item in items)
            {
                text.Append(item.Key).Append(": ").Append(item.Value).Append("\r\n");
            }

            return Utf8.Encode(text.Append("\r\n").ToString(), "headers");
        }

        /// <summary>Reads a block as on the wire. A line without a colon is passed over, as NATS
        /// clients do.</summary>
        internal static MartletHeaders Parse(string block)
        {
            var headers = new MartletHeaders();
            string[] lines = block.Split(new[] { "\r\n" }, StringSplitOptions.None);
            string first = lines[0].Substring(Math.Min(Version.Length, lines[0].Length)).Trim();
            int space = first.IndexOf(' ');
            string number = space < 0 ? first : first.Substring(0, space);
            if (int.TryParse(
                number, NumberStyles.None, CultureInfo.InvariantCulture, out int status))
            {
                headers.Status = status;
            }

            headers.Description = space < 0 ? string.Empty : first.Substring(space + 1).Trim();
            for (int i = 1; i < lines.Length; i++)
            {
                int colon = lines[i].IndexOf(':');
                if (colon > 0)
                {
                    headers.items.Add(new KeyValuePair<string, string>(
                        lines[i].Substring(0, colon),
                        lines[i].Substring(colon + 1).Trim(' ', '\t')));
                }
            }

            return headers;
        }
    }
}
