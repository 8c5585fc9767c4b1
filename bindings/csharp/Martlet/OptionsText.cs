// SPDX-License-Identifier: Apache-2.0
//
// Owns the way of an options object into the library's JSON, and back: what the library says of a
// key names the property.
using System;
using System.Collections.Generic;
using System.Globalization;
using Martlet.Raw;

namespace Martlet
{
    /// <summary>Collects what is set; null is left out, and so has its default.</summary>
    internal sealed class OptionsText
    {
        private readonly JsonWriter json = new JsonWriter();
        private readonly Dictionary<string, string> properties = new Dictionary<string, string>();

        internal OptionsText Add(string key, string property, string? value)
        {
            properties[key] = property;
            if (value != null)
            {
                Utf8.Encode(value, property);
                json.Add(key, value);
            }

            return this;
        }

        internal OptionsText Add(string key, string property, long? value)
        {
            properties[key] = property;
            if (value != null)
            {
                json.Add(key, value.Value);
            }

            return this;
        }

        internal OptionsText Add(string key, string property, bool? value)
        {
            properties[key] = property;
            if (value != null)
            {
                json.Add(key, value.Value);
            }

            return this;
        }

        internal OptionsText Add(string key, string property, TimeSpan? value)
        {
            properties[key] = property;
            if (value != null)
            {
                json.Add(key, (long)Math.Ceiling(value.Value.TotalMilliseconds));
            }

            return this;
        }

        internal OptionsText Add(string key, string property, IReadOnlyList<string>? values)
        {
            properties[key] = property;
            if (values != null)
            {
                foreach (string value in values)
                {
                    if (value == null)
                    {
                        throw new ArgumentNullException(property, "one of them is null");
                    }

                    Utf8.Encode(value, property);
                }

                json.Add(key, values);
            }

            return this;
        }

        internal byte[] ToBytes() => Utf8.Encode(json.ToString(), "the options");

        /// <summary>Passes what is no failure; an option that is refused has its property's name.
        /// </summary>
        internal void Check(int status, IntPtr error)
        {
            if (status >= 0)
            {
                return;
            }

            MartletException failure = Status.Failure(status, error);
            const string Before = "option \"";
            if (status == Abi.ErrOptions
                && failure.Message.StartsWith(Before, StringComparison.Ordinal))
            {
                int end = failure.Message.IndexOf('"', Before.Length);
                string key = failure.Message.Substring(
                    Before.Length, Math.Max(end - Before.Length, 0));
                if (properties.TryGetValue(key, out string? property))
                {
                    string why = failure.Message.Substring(end + 1);
                    string unit = key.EndsWith("_ms", StringComparison.Ordinal) ? " (ms)" : "";
                    throw new MartletOptionsException(
                        "option \"" + property + "\"" + why + unit);
                }
            }

            throw failure;
        }
    }

    /// <summary>Times as the library takes them.</summary>
    internal static class Times
    {
        /// <summary>Milliseconds; -1 for Timeout.InfiniteTimeSpan.</summary>
        internal static int Milliseconds(TimeSpan time, string argument)
        {
            if (time == System.Threading.Timeout.InfiniteTimeSpan)
            {
                return -1;
            }

            if (time < TimeSpan.Zero)
            {
                throw new ArgumentOutOfRangeException(
                    argument, time, "a time below zero that is not Timeout.InfiniteTimeSpan");
            }

            return (int)Math.Min(Math.Ceiling(time.TotalMilliseconds), int.MaxValue);
        }

        internal static long Number(Dictionary<string, object?> counted, string name) =>
            counted.TryGetValue(name, out object? value) && value != null
                ? Convert.ToInt64(value, CultureInfo.InvariantCulture)
                : 0;

        internal static string Text(Dictionary<string, object?> counted, string name) =>
            counted.TryGetValue(name, out object? value) ? value as string ?? "" : "";
    }
}
