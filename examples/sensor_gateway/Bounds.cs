// SPDX-License-Identifier: Apache-2.0
//
// Owns when a value is an alarm, and the file that says so.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;

namespace Martlet.Examples.SensorGateway
{
    internal enum AlarmState
    {
        Normal,
        Low,
        High,
    }

    /// <summary>The bounds of one kind of value.</summary>
    internal sealed class Bounds
    {
        private readonly double hysteresis;

        public Bounds(double low, double high, double hysteresis)
        {
            Low = low;
            High = high;
            this.hysteresis = hysteresis;
        }

        public double Low { get; }

        public double High { get; }

        /// <summary>Reads a file: a line for each kind, <c>KIND LOW HIGH HYSTERESIS</c>; what
        /// follows a # is a comment.</summary>
        /// <exception cref="FormatException">A line is none; the text names it.</exception>
        public static IReadOnlyDictionary<string, Bounds> ReadFile(string path)
        {
            var all = new Dictionary<string, Bounds>();
            int number = 0;
            foreach (string line in File.ReadLines(path))
            {
                number++;
                string[] words = line.Split('#')[0].Split(
                    (char[]?)null, StringSplitOptions.RemoveEmptyEntries);
                if (words.Length == 0)
                {
                    continue;
                }

                string? problem = ReadLine(words, all);
                if (problem != null)
                {
                    throw new FormatException(path + ":" + number + ": " + problem);
                }
            }

            return all;
        }

        /// <summary>What a value makes of the state before. An alarm ends only when the value has
        /// come back by the hysteresis, so that one that hovers at a bound raises it once.
        /// </summary>
        public AlarmState Next(AlarmState now, double value)
        {
            if (value > High || (now == AlarmState.High && value > High - hysteresis))
            {
                return AlarmState.High;
            }

            if (value < Low || (now == AlarmState.Low && value < Low + hysteresis))
            {
                return AlarmState.Low;
            }

            return AlarmState.Normal;
        }

        private static string? ReadLine(string[] words, Dictionary<string, Bounds> all)
        {
            if (words.Length != 4 || !SensorLine.IsName(words[0])
                || !IsNumber(words[1], out double low) || !IsNumber(words[2], out double high)
                || !IsNumber(words[3], out double hysteresis))
            {
                return "not KIND LOW HIGH HYSTERESIS";
            }

            if (!(low < high && hysteresis >= 0 && hysteresis <= high - low))
            {
                return "LOW must be below HIGH, and HYSTERESIS between 0 and their distance";
            }

            return all.TryAdd(words[0], new Bounds(low, high, hysteresis))
                ? null
                : words[0] + " has bounds already";
        }

        private static bool IsNumber(string text, out double value) =>
            double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value)
            && !double.IsNaN(value) && !double.IsInfinity(value);
    }
}
