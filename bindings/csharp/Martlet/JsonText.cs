// SPDX-License-Identifier: Apache-2.0
//
// Owns the little JSON that crosses the border: options out, statistics in. netstandard2.1 has no
// reader of its own, and the package needs no other.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Martlet
{
    /// <summary>A JSON object that is being written.</summary>
    internal sealed class JsonWriter
    {
        private readonly StringBuilder text = new StringBuilder("{");

        internal void Add(string key, string value)
        {
            Name(key);
            Quote(value);
        }

        internal void Add(string key, long value)
        {
            Name(key);
            text.Append(value.ToString(CultureInfo.InvariantCulture));
        }

        internal void Add(string key, bool value)
        {
            Name(key);
            text.Append(value ? "true" : "false");
        }

        internal void Add(string key, IEnumerable<string> values)
        {
            Name(key);
            char before = '[';
            foreach (string value in values)
            {
                text.Append(before);
                Quote(value);
                before = ',';
            }

            text.Append(before == '[' ? "[]" : "]");
        }

        public override string ToString() => text + "}";

        private void Name(string key)
        {
            if (text.Length > 1)
            {
                text.Append(',');
            }

            Quote(key);
            text.Append(':');
        }

        private void Quote(string value)
        {
            text.Append('"');
            foreach (char c in value)
            {
                if (c == '"' || c == '\\')
                {
                    text.Append('\\').Append(c);
                }
                else if (c < ' ')
                {
                    text.Append("\\u").Append(
                        ((int)c).ToString("x4", CultureInfo.InvariantCulture));
                }
                else
                {
                    text.Append(c);
                }
            }

            text.Append('"');
        }
    }

    /// <summary>Reads what the library writes: objects become dictionaries, arrays lists, numbers
    /// long or double.</summary>
    internal sealed class JsonReader
    {
        private readonly string text;
        private int next;

        private JsonReader(string text)
        {
            this.text = text;
        }

        internal static Dictionary<string, object?> ReadObject(string text) =>
            new JsonReader(text).Value() as Dictionary<string, object?>
            ?? throw new MartletInternalException("not a JSON object: " + text);

        internal static List<string> ReadTexts(string text)
        {
            var texts = new List<string>();
            foreach (object? item in new JsonReader(text).Value() as List<object?>
                ?? throw new MartletInternalException("not a JSON array: " + text))
            {
                texts.Add(item as string ?? string.Empty);
            }

            return texts;
        }

        private object? Value()
        {
            switch (Peek())
            {
                case '{':
                    return Object();
                case '[':
                    return Array();
                case '"':
                    return Text();
                case 't':
                    return Word("true", true);
                case 'f':
                    return Word("false", false);
                case 'n':
                    return Word("null", null);
                default:
                    return Number();
            }
        }

        private Dictionary<string, object?> Object()
        {
            var members = new Dictionary<string, object?>();
            next++;
            while (Peek() != '}')
            {
                string name = Text();
                Expect(':');
                members[name] = Value();
                if (Peek() == ',')
                {
                    next++;
                }
            }

            next++;
            return members;
        }

        private List<object?> Array()
        {
            var items = new List<object?>();
            next++;
            while (Peek() != ']')
            {
                items.Add(Value());
                if (Peek() == ',')
                {
                    next++;
                }
            }

            next++;
            return items;
        }

        private string Text()
        {
            Expect('"');
            var value = new StringBuilder();
            while (true)
            {
                char c = Take();
                if (c == '"')
                {
                    return value.ToString();
                }

                value.Append(c == '\\' ? Escaped() : c);
            }
        }

        private char Escaped()
        {
            char c = Take();
            switch (c)
            {
                case 'n':
                    return '\n';
                case 't':
                    return '\t';
                case 'r':
                    return '\r';
                case 'b':
                    return '\b';
                case 'f':
                    return '\f';
                case 'u':
                    string digits = text.Substring(next, 4);
                    next += 4;
                    return (char)int.Parse(
                        digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                default:
                    return c;
            }
        }

        private object Number()
        {
            int begin = next;
            while (next < text.Length && "+-.eE0123456789".IndexOf(text[next]) >= 0)
            {
                next++;
            }

            string number = text.Substring(begin, next - begin);
            if (long.TryParse(
                number,
                NumberStyles.AllowLeadingSign,
                CultureInfo.InvariantCulture,
                out long whole))
            {
                return whole;
            }

            return double.Parse(number, NumberStyles.Float, CultureInfo.InvariantCulture);
        }

        private object? Word(string word, object? value)
        {
            next += word.Length;
            return value;
        }

        private char Peek()
        {
            while (next < text.Length && char.IsWhiteSpace(text[next]))
            {
                next++;
            }

            return next < text.Length
                ? text[next]
                : throw new MartletInternalException("a JSON text ends early");
        }

        private char Take() =>
            next < text.Length
                ? text[next++]
                : throw new MartletInternalException("a JSON text ends early");

        private void Expect(char wanted)
        {
            if (Peek() != wanted)
            {
                throw new MartletInternalException("a JSON text has no " + wanted + " at " + next);
            }

            next++;
        }
    }
}
