// SPDX-License-Identifier: Apache-2.0
//
// Goal: what a connection does with messages, over every kind of broker. Method: a broker for each
// test, and what comes back is compared with what was sent.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

namespace Martlet.Tests
{
    public sealed class MessageTests
    {
        [Fact]
        public async Task PublishAndAwaitForeach(Broker broker)
        {
            await using MartletConnection connection = await broker.ConnectAsync();
            MartletSubscription subscription = connection.SubscribeAsync("greet.*");
            for (int i = 0; i < 1000; i++)
            {
                await connection.PublishAsync("greet.world", "hello " + i);
            }

            int count = 0;
            await foreach (MartletMessage message in subscription)
            {
                Check.Equal("greet.world", message.Subject);
                Check.Equal("hello " + count, message.Text);
                Check.True(message.ReplyTo == null && message.Headers == null, "no reply, headers");
                if (++count == 1000)
                {
                    break;
                }
            }

            Check.Equal(1000, count);
        }
    }
}
