// SPDX-License-Identifier: Apache-2.0
//
// Owns JSON as far as scenarios and transcripts need it: the runner also stands where there is no
// library for it (mono). What is no JSON is a FormatException.
using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;

namespace Martlet.Parity
{
    /// <summary>A value as it was read. Any thread.</summary>
    internal sealed class Json
    {
        private readonly object? value;

        internal Json(object? value)
        {
            this.value = value;
        }

        internal bool IsObject => value is List<KeyValuePair<string, Json>>;

        internal string Text => (string)value!;

        internal long Number => (long)value!;

        internal bool Flag => (bool)value!;

        internal List<Json> Items => (List<Json>)value!;

        /// <summary>Of an object, in the order of the text.</summary>
        internal List<KeyValuePair<string, Json>> Fields =>
            (List<KeyValuePair<string, Json>>)value!;

        internal Json this[string name] => Get(name) ?? throw new KeyNotFoundException(name);

        internal static Json Parse(string text) => new JsonReader(text).Whole();

        /// <summary>The text of texts, numbers, flags, dictionaries, sequences, and of what was
        /// read; ASCII, whatever the encoding of its way.</summary>
        internal static string Write(object? any)
        {
            switch (any)
            {
                case null:
                    return "null";
                case Json json:
                    return json.IsObject
                        ? Braced(json.Fields.Select(each => Field(each.Key, each.Value)))
                        : Write(json.value);
                case string text:
                    return Quoted(text);
                case bool flag:
                    return flag ? "true" : "false";
                case IDictionary map:
                    return Braced(map.Keys.Cast<string>().Select(each => Field(each, map[each])));
                case IEnumerable sequence:
                    return "[" + string.Join(",", sequence.Cast<object?>().Select(Write)) + "]";
                default:
                    return Convert.ToString(any, CultureInfo.InvariantCulture)!;
            }
        }

        /// <summary>The field of an object, or null.</summary>
        internal Json? Get(string name) => Fields.Find(each => each.Key == name).Value;

        private static string Braced(IEnumerable<string> fields) =>
            "{" + string.Join(",", fields) + "}";

        private static string Field(string name, object? any) => Quoted(name) + ":" + Write(any);

        private static string Quoted(string text)
        {
            var quoted = new StringBuilder("\"");
            foreach (char each in text)
            {
                if (each < 0x20 || each > 0x7e)
                {
                    quoted.Append("\\u").Append(((int)each).ToString("x4"));
                    continue;
                }

                quoted.Append(each == '"' || each == '\\' ? "\\" : string.Empty).Append(each);
            }

            return quoted.Append('"').ToString();
        }
    }

    /// <summary>Reads one text, once.</summary>
    internal sealed class JsonReader
    {
        private const string Escapes = "\"\"\\\\//b\bf\fn\nr\rt\t";

        private readonly string text;
        private int at;

        internal JsonReader(string text)
        {
            this.text = text;
        }

        private char Next => at < text.Length ? text[at] : '\0';

        internal Json Whole()
        {
            Json value = Value();
            return at == text.Length ? value : throw Wrong();
        }

        private Json Value()
        {
            SkipSpace();
            object? value = Next == '{' ? Object()
                : Next == '[' ? Items()
                : Next == '"' ? (object?)Quoted()
                : Word();
            SkipSpace();
            return new Json(value);
        }

        private List<KeyValuePair<string, Json>> Object()
        {
            var fields = new List<KeyValuePair<string, Json>>();
            Gather('}', () =>
            {
                SkipSpace();
                string name = Quoted();
                SkipSpace();
                Take(':');
                fields.Add(new KeyValuePair<string, Json>(name, Value()));
            });
            return fields;
        }

        private List<Json> Items()
        {
            var items = new List<Json>();
            Gather(']', () => items.Add(Value()));
            return items;
        }

        /// <summary>What stands between brackets, with commas between.</summary>
        private void Gather(char end, Action one)
        {
            at++;
            SkipSpace();
            if (Next != end)
            {
                one();
                while (Next == ',')
                {
                    at++;
                    one();
                }
            }

            Take(end);
        }

        private string Quoted()
        {
            var read = new StringBuilder();
            for (Take('"'); Next != '"'; at++)
            {
                if (at >= text.Length)
                {
                    throw Wrong();
                }

                read.Append(Next == '\\' ? Escaped() : Next);
            }

            at++;
            return read.ToString();
        }

        /// <summary>Ends at the last character of the escape.</summary>
        private char Escaped()
        {
            at++;
            if (Next == 'u' && at + 4 < text.Length)
            {
                at += 4;
                return (char)Convert.ToUInt16(text.Substring(at - 3, 4), 16);
            }

            for (int i = 0; i < Escapes.Length; i += 2)
            {
                if (Escapes[i] == Next)
                {
                    return Escapes[i + 1];
                }
            }

            throw Wrong();
        }

        private object? Word()
        {
            int start = at;
            while (char.IsLetterOrDigit(Next) || Next == '-' || Next == '+' || Next == '.')
            {
                at++;
            }

            string word = text.Substring(start, at - start);
            switch (word)
            {
                case "null":
                    return null;
                case "true":
                case "false":
                    return word == "true";
                default:
                    return long.TryParse(word, out long number)
                        ? (object)number
                        : double.Parse(word, CultureInfo.InvariantCulture);
            }
        }

        private void Take(char wanted)
        {
            if (Next != wanted)
            {
                throw Wrong();
            }

            at++;
        }

        private void SkipSpace()
        {
            while (Next == ' ' || Next == '\n' || Next == '\r' || Next == '\t')
            {
                at++;
            }
        }

        private FormatException Wrong() => new FormatException("no JSON at " + at + ": " + text);
    }
}
