// SPDX-License-Identifier: Apache-2.0
package io.martlet;

/** Owns the words for what happens to a message that comes when a subscription is at its bound. */
public enum FullPolicy {
    /** The new message is lost, and counted as dropped. */
    REFUSE_NEW("refuse_new"),
    /** The oldest that waits is lost, and counted as dropped. */
    DROP_OLDEST("drop_oldest"),
    /** The one of the same subject that waits is replaced. */
    KEEP_LATEST_OF_EACH_SUBJECT("keep_latest_of_each_subject"),
    /**
     * Nothing is lost here: the whole connection stops reading, its replies and flushes included,
     * until there is room. If that lasts, the server closes it as a slow consumer.
     */
    BLOCK_READER("block_reader");

    private final String word;

    FullPolicy(String word) {
        this.word = word;
    }

    /** The word in the library's options. */
    String word() {
        return word;
    }
}
