// SPDX-License-Identifier: Apache-2.0
//
// Owns the allocation of completion blocks.
#include "client/completion_block.hpp"

#include <cstdlib>
#include <new>

#include "base/assert.hpp"

namespace martlet::client {

CompletionBlock* CompletionBlock::create(size_t capacity) {
  MARTLET_ASSERT(capacity % alignof(CompletionDescriptor) == 0);
  MARTLET_ASSERT(capacity <= INT32_MAX);
  void* const memory = std::malloc(sizeof(CompletionBlock) + capacity);
  return memory == nullptr ? nullptr : new (memory) CompletionBlock(capacity);
}

void CompletionBlock::destroy() {
  this->~CompletionBlock();
  std::free(this);
}

}  // namespace martlet::client
