// SPDX-License-Identifier: Apache-2.0
//
// Owns how a line of a sensor is read.
using System;
using System.Globalization;
using System.Text;

namespace Martlet.Examples.SensorGateway
{
    /// <summary>What a line says: <c>SENSOR KIND VALUE</c>, separated by blanks.</summary>
    internal readonly struct SensorLine
    {
        /// <summary>Bytes of the longest line.</summary>
        public const int BytesMax = 256;

        private const int NameMax = 32;

        private static readonly char[] Blanks = { ' ', '\t', '\r' };

        private SensorLine(string sensor, string kind, string text, double value)
        {
            Sensor = sensor;
            Kind = kind;
            Text = text;
            Value = value;
        }

        public string Sensor { get; }

        public string Kind { get; }

        /// <summary>The value as it came.</summary>
        public string Text { get; }

        public double Value { get; }

        /// <summary>Reads a line.</summary>
        /// <param name="bytes">Without its end.</param>
        /// <param name="line">What it says, if the answer is null.</param>
        /// <returns>Null, or why it is none.</returns>
        public static string? Read(ReadOnlySpan<byte> bytes, out SensorLine line)
        {
            line = default;
            if (bytes.Length > BytesMax)
            {
                return "longer than " + BytesMax + " bytes";
            }

            string[] words = Encoding.UTF8.GetString(bytes).Split(
                Blanks, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length != 3)
            {
                return "not three words";
            }

            if (!IsName(words[0]) || !IsName(words[1]))
            {
                return "a name with other characters than A-Z a-z 0-9 _ -, or more than "
                    + NameMax;
            }

            // Infinity is what some runtimes make of 1e999, and others refuse.
            if (!double.TryParse(
                    words[2], NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
                || double.IsNaN(value) || double.IsInfinity(value))
            {
                return "not a number";
            }

            line = new SensorLine(words[0], words[1], words[2], value);
            return null;
        }

        /// <summary>A name becomes a part of a subject, where dots and wildcards mean something.
        /// </summary>
        public static bool IsName(string text)
        {
            foreach (char one in text)
            {
                bool isAllowed = (one >= 'a' && one <= 'z') || (one >= 'A' && one <= 'Z')
                    || (one >= '0' && one <= '9') || one == '_' || one == '-';
                if (!isAllowed)
                {
                    return false;
                }
            }

            return text.Length >= 1 && text.Length <= NameMax;
        }
    }
}
