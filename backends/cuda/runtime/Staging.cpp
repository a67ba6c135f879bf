#include "backends/cuda/runtime/Staging.h"
#include "backends/cuda/runtime/CudaError.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace hexin::cuda {

Staging::~Staging() {
  for (Piece &piece : pieces_) {
    events_.give(piece.done);
    if (piece.host)
      api_.cuMemFreeHost(piece.host);
  }
}

Status Staging::finish(Piece &piece) {
  if (!piece.done)
    return Status::success();
  CUevent done = std::exchange(piece.done, nullptr);
  CUresult code = api_.cuEventSynchronize(done);
  events_.give(done);
  return cudaStatus(code, "waiting for a copy");
}

Status Staging::record(Piece &piece, CUstream stream) {
  auto done = events_.take();
  if (!done) { // the piece must not be used again before the copy is done
    api_.cuStreamSynchronize(stream);
    return done.status();
  }
  piece.done = *done;
  CUresult code = api_.cuEventRecord(piece.done, stream);
  if (code != cudaSuccess)
    api_.cuStreamSynchronize(stream);
  return cudaStatus(code, "recording a copy");
}

Result<Staging::Piece *> Staging::next() {
  Piece &piece = pieces_[turn_++ % pieces_.size()];
  HEXIN_RETURN_IF_ERROR(finish(piece));
  if (!piece.host && api_.cuMemHostAlloc(&piece.host, pieceBytes, 0) != cudaSuccess)
    piece.host = nullptr;
  return piece.host ? &piece : nullptr;
}

Status Staging::upload(CUdeviceptr dst, const void *src, uint64_t bytes,
                       CUstream stream) {
  std::lock_guard lock(mutex_);
  auto *from = static_cast<const std::byte *>(src);
  for (uint64_t at = 0; at < bytes;) {
    uint64_t length = std::min(bytes - at, pieceBytes);
    HEXIN_ASSIGN_OR_RETURN(Piece * piece, next());
    const void *pinned = from + at;
    if (piece)
      pinned = std::memcpy(piece->host, from + at, length);
    HEXIN_RETURN_IF_ERROR(
        cudaStatus(api_.cuMemcpyHtoDAsync_v2(dst + at, pinned, length, stream),
                   "copying to the device"));
    HEXIN_RETURN_IF_ERROR(
        piece ? record(*piece, stream)
              : cudaStatus(api_.cuStreamSynchronize(stream), "copying to the device"));
    at += length;
  }
  return Status::success();
}

Status Staging::download(void *dst, CUdeviceptr src, uint64_t bytes, CUstream stream) {
  std::lock_guard lock(mutex_);
  auto *to = static_cast<std::byte *>(dst);
  struct Pending {
    Piece *piece;
    uint64_t at, length;
  };
  std::array<Pending, std::tuple_size_v<decltype(pieces_)> - 1> pending{};
  size_t begun = 0, emptied = 0;
  bool isPinned = true; // until a piece cannot be had: the ring would come round too soon
  auto empty = [&]() -> Status {
    auto [piece, at, length] = pending[emptied++ % pending.size()];
    HEXIN_RETURN_IF_ERROR(finish(*piece));
    std::memcpy(to + at, piece->host, length);
    return Status::success();
  };
  for (uint64_t at = 0; at < bytes;) {
    uint64_t length = std::min(bytes - at, pieceBytes);
    if (begun - emptied == pending.size())
      HEXIN_RETURN_IF_ERROR(empty());
    Piece *piece = nullptr;
    if (isPinned) {
      HEXIN_ASSIGN_OR_RETURN(piece, next());
    }
    isPinned = piece != nullptr;
    HEXIN_RETURN_IF_ERROR(
        cudaStatus(api_.cuMemcpyDtoHAsync_v2(piece ? piece->host : to + at, src + at,
                                             length, stream),
                   "copying from the device"));
    if (piece) {
      HEXIN_RETURN_IF_ERROR(record(*piece, stream));
      pending[begun++ % pending.size()] = {piece, at, length};
    } else {
      HEXIN_RETURN_IF_ERROR(
          cudaStatus(api_.cuStreamSynchronize(stream), "copying from the device"));
    }
    at += length;
  }
  while (emptied < begun)
    HEXIN_RETURN_IF_ERROR(empty());
  return Status::success();
}

} // namespace hexin::cuda
