// SPDX-License-Identifier: Apache-2.0
//
// Owns the way of texts across the border: strict UTF-8 outwards, so that a broken string is an
// exception and not another subject; tolerant inwards, where the bytes are a stranger's.
using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Martlet.Raw
{
    internal static unsafe class Utf8
    {
        /// <summary>A text of at most so many chars is encoded on the stack.</summary>
        internal const int StackChars = 64;

        /// <summary>The bytes that such a text can need.</summary>
        internal const int StackBytes = StackChars * 3;

        private static readonly UTF8Encoding Strict = new UTF8Encoding(false, true);

        /// <summary>Encodes `text` into `buffer` if it is short, else into an array of its own.
        /// </summary>
        [MethodImpl(Hot.Path)]
        internal static ReadOnlySpan<byte> Encode(string? text, Span<byte> buffer, string argument)
        {
            if (string.IsNullOrEmpty(text))
            {
                return default;
            }

            return text!.Length <= StackChars && TryNarrow(text, buffer)
                ? buffer.Slice(0, text.Length)
                : EncodeAny(text, buffer, argument);
        }

        internal static byte[] Encode(string? text, string argument) =>
            Encode(text, new byte[StackBytes], argument).ToArray();

        internal static string Decode(byte* text, long bytes) =>
            bytes <= 0 ? string.Empty : Encoding.UTF8.GetString(text, checked((int)bytes));

        internal static string Decode(byte[] bytes, int offset, int count) =>
            count <= 0 ? string.Empty : Encoding.UTF8.GetString(bytes, offset, count);

        /// <summary>False when it is not ASCII alone, as nearly every subject is.</summary>
        [MethodImpl(Hot.Path)]
        private static bool TryNarrow(string text, Span<byte> buffer)
        {
            for (int i = 0; i < text.Length; i++)
            {
                if (text[i] > 0x7f)
                {
                    return false;
                }

                buffer[i] = (byte)text[i];
            }

            return true;
        }

        private static ReadOnlySpan<byte> EncodeAny(
            string text, Span<byte> buffer, string argument)
        {
            try
            {
                if (text.Length > StackChars)
                {
                    return Strict.GetBytes(text);
                }

                fixed (char* chars = text)
                fixed (byte* bytes = &MemoryMarshal.GetReference(buffer))
                {
                    return buffer.Slice(
                        0, Strict.GetBytes(chars, text.Length, bytes, buffer.Length));
                }
            }
            catch (EncoderFallbackException)
            {
                throw new MartletInvalidArgumentException(
                    argument + " is no text: a surrogate stands alone in it");
            }
        }
    }
}
