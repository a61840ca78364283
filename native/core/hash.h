// FNV-1a with 64 bits, as its authors describe it. The upper bits are the better ones.
#ifndef HOLDFAST_CORE_HASH_H
#define HOLDFAST_CORE_HASH_H

#include <cstdint>
#include <string>

namespace holdfast::core {

inline uint64_t fnv1a(const std::string& bytes, uint64_t hash = 0xCBF29CE484222325) {
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001B3;
  return hash;
}

}  // namespace holdfast::core

#endif
