// SPDX-License-Identifier: Apache-2.0
//
// Owns the names that the library's options have in C#, and how a value becomes a property's.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;

namespace Martlet.Parity
{
    internal static class OptionNames
    {
        /// <summary>Where the property is not the option's name in another spelling.</summary>
        private static readonly Dictionary<string, string> Names = new Dictionary<string, string>
        {
            ["requests_max"] = "MaxRequests",
            ["reconnect_attempts_max"] = "MaxReconnectRetry",
            ["reconnect_buffer_bytes_max"] = "ReconnectBufferSize",
            ["retry_on_first_connect"] = "RetryOnInitialConnect",
            ["randomize_servers"] = "NoRandomize",
            ["pings_out_max"] = "MaxPingOut",
            ["messages_max"] = "PendingMessagesMax",
            ["bytes_max"] = "PendingBytesMax",
        };

        /// <summary>Sets the property of `options` that the library's option `name` has.</summary>
        internal static void Set(object options, string name, Json value)
        {
            if (!Names.TryGetValue(name, out string? property))
            {
                property = Pascal(
                    name.EndsWith("_ms", StringComparison.Ordinal) ? name[..^3] : name);
            }

            PropertyInfo found = options.GetType().GetProperty(property!)
                ?? throw new MissingMemberException(options.GetType().Name, property);
            Type type = Nullable.GetUnderlyingType(found.PropertyType) ?? found.PropertyType;
            found.SetValue(options, ValueOf(type, value, isInverted: property == "NoRandomize"));
        }

        private static object ValueOf(Type type, Json value, bool isInverted)
        {
            if (type == typeof(TimeSpan))
            {
                return TimeSpan.FromMilliseconds(value.Number);
            }

            if (type == typeof(bool))
            {
                return value.Flag != isInverted;
            }

            if (type.IsEnum)
            {
                return Enum.Parse(type, Pascal(value.Text));
            }

            return type == typeof(string)
                ? (object)value.Text
                : Convert.ChangeType(value.Number, type);
        }

        private static string Pascal(string name) =>
            string.Concat(name.Split('_').Select(word => char.ToUpper(word[0]) + word[1..]));
    }
}
