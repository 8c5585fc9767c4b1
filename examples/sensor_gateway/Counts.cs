// SPDX-License-Identifier: Apache-2.0
//
// Owns what the gateway counts.
using System.Threading;

namespace Martlet.Examples.SensorGateway
{
    /// <summary>Counted by one thread, read by any.</summary>
    internal sealed class Counts
    {
        private long datagrams;
        private long published;
        private long rejected;
        private long alarms;
        private int sensors;

        public long Rejected => Interlocked.Read(ref rejected);

        public void AddDatagram() => Interlocked.Increment(ref datagrams);

        public void AddPublished() => Interlocked.Increment(ref published);

        public void AddRejected() => Interlocked.Increment(ref rejected);

        public void AddAlarm() => Interlocked.Increment(ref alarms);

        public void SetSensors(int count) => Volatile.Write(ref sensors, count);

        public string ToJson() =>
            "{\"datagrams\":" + Interlocked.Read(ref datagrams)
            + ",\"published\":" + Interlocked.Read(ref published)
            + ",\"rejected\":" + Rejected
            + ",\"alarms\":" + Interlocked.Read(ref alarms)
            + ",\"sensors\":" + Volatile.Read(ref sensors) + "}";
    }
}
