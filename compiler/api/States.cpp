#include "compiler/api/States.h"

#include "hexin/value.h"

#include "llvm/ADT/STLExtras.h"

#include <set>

using namespace mlir;

namespace hexin::compiler {
namespace {

using Ports = std::vector<std::unique_ptr<fmt::PortT>>;

int indexOf(const Ports &ports, const std::string &name) {
  auto it = llvm::find_if(ports, [&](const auto &port) { return port->name == name; });
  return it == ports.end() ? -1 : static_cast<int>(it - ports.begin());
}

/// Whether `dim` is made of `symbol`, directly or through derived symbols.
bool dependsOn(const hx::SymbolTable &table, hx::Dim dim, hx::Dim symbol,
               std::set<unsigned> &seen) {
  bool found = false;
  dim.walk([&](AffineExpr part) {
    auto used = dyn_cast<AffineSymbolExpr>(part);
    if (found || !used)
      return;
    found = used == symbol;
    // Each symbol once: definitions share their parts.
    if (!found && seen.insert(used.getPosition()).second)
      for (hx::Dim operand : table.symbols()[used.getPosition()].operands)
        found = found || dependsOn(table, operand, symbol, seen);
  });
  return found;
}

class FirstSizes {
public:
  FirstSizes(func::FuncOp func, hx::SymbolicShapes &shapes, fmt::HeaderT &header)
      : func(func), shapes(shapes), header(header) {
    for (const auto &state : header.states)
      stateInputs.insert(state->input);
  }

  int32_t of(const fmt::StateT &state, unsigned axis) {
    fmt::PortT &port = *header.inputs[state.input];
    if (port.dims[axis] >= 0)
      return port.dims[axis];
    hx::Dim size = shapes.dims(func.getArgument(state.input))[axis];
    if (isNamedByInput(port.symbols[axis]) || shareName(port.symbols[axis], size))
      return -1;
    Operation *terminator = func.getBody().front().getTerminator();
    hx::Dim after = shapes.dims(terminator->getOperand(state.output))[axis];
    std::set<unsigned> seen;
    bool grows = after != size && dependsOn(shapes.symbols(), after, size, seen);
    return grows ? 0 : 1;
  }

private:
  bool isNamedByInput(const std::string &name) {
    if (name.empty())
      return false;
    for (auto [i, port] : llvm::enumerate(header.inputs))
      if (!stateInputs.count(i) && llvm::is_contained(port->symbols, name))
        return true;
    return false;
  }

  /// Gives the axis of an input that must be equal to `size` and the axis `name`
  /// one name; false when there is none.
  bool shareName(std::string &name, hx::Dim size) {
    for (const hx::SymbolConstraint &fact : shapes.symbols().constraints()) {
      if (!fact.rhs || (fact.lhs != size && fact.rhs != size))
        continue;
      hx::Dim other = fact.lhs == size ? fact.rhs : fact.lhs;
      for (auto [i, port] : llvm::enumerate(header.inputs)) {
        if (stateInputs.count(i))
          continue;
        for (auto [axis, dim] : llvm::enumerate(shapes.dims(func.getArgument(i)))) {
          if (dim != other || port->dims[axis] >= 0)
            continue;
          if (port->symbols[axis].empty())
            port->symbols[axis] = port->name + "." + std::to_string(axis);
          rename(name, port->symbols[axis]);
          return true;
        }
      }
    }
    return false;
  }

  void rename(std::string &name, const std::string &to) {
    std::string from = name;
    name = to;
    if (from.empty())
      return;
    for (auto &port : header.inputs)
      llvm::replace(port->symbols, from, to);
  }

  func::FuncOp func;
  hx::SymbolicShapes &shapes;
  fmt::HeaderT &header;
  std::set<uint32_t> stateInputs;
};

/// The name of the state that random operators draw from, or "".
std::string randomState(func::FuncOp func) {
  for (unsigned i = 0; i < func.getNumArguments(); ++i)
    if (func.getArgAttr(i, "hx.random_state"))
      return func.getArgAttrOfType<StringAttr>(i, "hx.name").str();
  return "";
}

} // namespace

Status addStates(func::FuncOp func, hx::SymbolicShapes &shapes,
                 const std::map<std::string, std::string> &states, fmt::HeaderT &header) {
  header.states.clear();
  std::map<std::string, std::string> all = states;
  std::string random = randomState(func);
  if (!random.empty()) {
    if (states.count(random))
      return invalidArgument("state '" + random + "' is one already");
    all.emplace(random, random);
  }
  for (const auto &[input, output] : all) {
    int in = indexOf(header.inputs, input), out = indexOf(header.outputs, output);
    if (in < 0 || out < 0)
      return notFound("state '" + input + "=" + output + "': the model has no " +
                      (in < 0 ? "input '" + input : "output '" + output) + "'");
    auto state = std::make_unique<fmt::StateT>();
    state->name = input;
    state->input = in;
    state->output = out;
    state->dtype = header.inputs[in]->dtype;
    const fmt::PortT &before = *header.inputs[in], &after = *header.outputs[out];
    if (before.kind != static_cast<uint8_t>(hexin::ValueKind::tensor) ||
        after.kind != before.kind || after.dtype != before.dtype ||
        after.dims.size() != before.dims.size())
      return invalidArgument("state '" + input + "=" + output +
                             "': the output is not of the input's element type and rank");
    state->dims.assign(before.dims.begin(), before.dims.end());
    state->random = input == random;
    header.states.push_back(std::move(state));
  }
  FirstSizes sizes(func, shapes, header);
  for (auto &state : header.states)
    for (unsigned axis = 0; axis < state->dims.size(); ++axis)
      state->first_dims.push_back(sizes.of(*state, axis));
  return Status::success();
}

} // namespace hexin::compiler
