// Every number of a program's tables, one after the other, becomes a lie; hashes are
// right. The file is opened, planned and run: it works or fails with a typed error.
//
// What nobody can check without trusting code is whether a kernel keeps to the footprints
// and items that its table declares: the fakes' kernels refuse launches that they would
// leave their memory in (deviceLost), which stands for that.
#include "tests/runtime/exec/DoublingLoop.h"
#include "tests/runtime/exec/HostValues.h"
#include "tests/runtime/exec/SessionFixture.h"

#include <functional>
#include <limits>
#include <map>
#include <type_traits>

/// As in a process without the sanitizer: what asks for too much memory gets none.
extern "C" const char *__asan_default_options();
extern "C" const char *__asan_default_options() { return "allocator_may_return_null=1"; }

namespace hexin {
namespace {

using namespace test;
using Op = fmt::ExprOp;

/// Calls `visit(name, number, set)` for every number of a program, always in one order.
/// A name that ends in '!' is of a lie that is made already: any number sets it.
class NumberWalk {
public:
  using Visit = std::function<void(const char *name, int64_t value,
                                   const std::function<void(int64_t)> &set)>;
  explicit NumberWalk(Visit visit) : visit_(std::move(visit)) {}

  void walk(fmt::HeaderT &header) {
    for (auto &state : header.states) {
      number("state.input", state->input);
      number("state.output", state->output);
      number("state.dtype", state->dtype);
      list("state.dims", state->dims);
      list("state.first_dims", state->first_dims);
    }
    for (auto &weight : header.weights) {
      number("weight.dtype", weight->dtype);
      list("weight.dims", weight->dims);
      number("weight.offset", weight->offset);
      number("weight.length", weight->length);
      number("weight.encoding", weight->encoding);
      number("weight.panel_width", weight->panel_width);
      number("weight.panel_groups", weight->panel_groups);
    }
    for (auto &port : header.inputs)
      walkPort("input", *port);
    for (auto &port : header.outputs)
      walkPort("output", *port);
    for (auto &program : header.programs)
      walkProgram(*program);
  }

private:
  template <typename T> void number(const char *name, T &field) {
    visit_(name, static_cast<int64_t>(field),
           [&field](int64_t value) { field = static_cast<T>(value); });
  }
  template <typename T> void list(const char *name, std::vector<T> &fields) {
    for (T &field : fields)
      number(name, field);
    visit_(name, static_cast<int64_t>(fields.size()), [&fields](int64_t size) {
      if (size >= 0 && size < 100)
        fields.resize(static_cast<size_t>(size));
    });
  }
  /// One after the other, and then their number.
  template <typename T, typename Each>
  void tables(const char *name, std::vector<std::unique_ptr<T>> &all, Each each) {
    for (auto &table : all)
      each(*table);
    visit_(name, static_cast<int64_t>(all.size()), [&all](int64_t size) {
      if (size >= 0 && size < static_cast<int64_t>(all.size()))
        all.resize(static_cast<size_t>(size));
    });
  }

  void walkPort(const char *name, fmt::PortT &port) {
    number(name, port.kind);
    number(name, port.dtype);
    list(name, port.dims);
    for (fmt::TypeDefT *type = port.type.get(); type; type = type->held.get()) {
      number("type.kind", type->kind);
      number("type.dtype", type->dtype);
      number("type.rank", type->rank);
      list("type.dims", type->dims);
    }
  }

  void walkPool(const char *name, std::vector<fmt::ExprNode> &pool) {
    for (fmt::ExprNode &node : pool) {
      auto with = [&](const char *part, int64_t old, auto make) {
        visit_((name + std::string(".") + part).c_str(), old,
               [&node, make](int64_t value) { node = make(node, value); });
      };
      using N = fmt::ExprNode;
      auto narrow = [](int64_t value) { return static_cast<int32_t>(value); };
      with("value", node.value(),
           [](const N &n, int64_t v) { return N(v, n.a(), n.b(), n.c(), n.op()); });
      with("a", node.a(), [narrow](const N &n, int64_t v) {
        return N(n.value(), narrow(v), n.b(), n.c(), n.op());
      });
      with("b", node.b(), [narrow](const N &n, int64_t v) {
        return N(n.value(), n.a(), narrow(v), n.c(), n.op());
      });
      with("c", node.c(), [narrow](const N &n, int64_t v) {
        return N(n.value(), n.a(), n.b(), narrow(v), n.op());
      });
      for (int op = 0; op <= static_cast<int>(fmt::ExprOp::MAX) + 1; ++op)
        with("op!", op, [op](const N &n, int64_t) {
          return N(n.value(), n.a(), n.b(), n.c(), static_cast<fmt::ExprOp>(op));
        });
    }
  }

  void walkVariant(fmt::VariantT &variant) {
    number("variant.engine", variant.engine);
    number("variant.guard", variant.guard);
    number("variant.kernel", variant.kernel);
    list("variant.params", variant.params);
    number("variant.result_count", variant.result_count);
    number("variant.scratch_bytes", variant.scratch_bytes);
    number("variant.order", variant.order);
    for (fmt::Binding &binding : variant.bindings) {
      visit_("binding.value", binding.value(), [&binding](int64_t value) {
        binding = fmt::Binding(static_cast<uint32_t>(value), binding.offset());
      });
      visit_("binding.offset", binding.offset(), [&binding](int64_t value) {
        binding = fmt::Binding(binding.value(), static_cast<int32_t>(value));
      });
    }
    visit_("bindings", static_cast<int64_t>(variant.bindings.size()),
           [&variant](int64_t size) {
             if (size >= 0 && size < 100)
               variant.bindings.resize(static_cast<size_t>(size));
           });
    tables("attributes", variant.attributes, [&](fmt::AttributeDefT &attribute) {
      number("attribute.kind", attribute.kind);
      number("attribute.i", attribute.i);
      list("attribute.ints", attribute.ints);
    });
  }

  void walkProgram(fmt::ProgramT &program) {
    number("kernel_abi", program.kernel_abi);
    number("required_features", program.required_features);
    walkPool("expr", program.exprs);
    tables("constraints", program.constraints, [&](fmt::ConstraintT &constraint) {
      number("constraint.expr", constraint.expr);
      number("constraint.equal", constraint.equal);
      number("constraint.lo", constraint.lo);
      number("constraint.hi", constraint.hi);
      number("constraint.divisor", constraint.divisor);
      for (int32_t &shown : constraint.shown)
        number("constraint.shown", shown);
    });
    tables("values", program.values, [&](fmt::ValueDefT &value) {
      number("value.kind", value.kind);
      number("value.holds", value.holds);
      number("value.residency", value.residency);
      number("value.dtype", value.dtype);
      number("value.index", value.index);
      list("value.dims", value.dims);
      number("value.alias_of", value.alias_of);
      number("value.alias_offset", value.alias_offset);
      number("value.phi_condition", value.phi_condition);
      number("value.phi_then", value.phi_then);
      number("value.phi_else", value.phi_else);
    });
    list("inputs", program.inputs);
    list("outputs", program.outputs);
    tables("kernels", program.kernels, [&](fmt::KernelT &kernel) {
      number("kernel.binding_count", kernel.binding_count);
      number("kernel.param_count", kernel.param_count);
      walkPool("kernel.expr", kernel.exprs);
      number("kernel.items", kernel.items);
      list("kernel.footprints", kernel.footprints);
      number("kernel.grain", kernel.grain);
      number("kernel.order", kernel.order);
      for (size_t i = 0; i < kernel.writes.size(); ++i)
        visit_("kernel.writes", kernel.writes[i], [&kernel, i](int64_t value) {
          kernel.writes[i] = value == 0; // the other one is among those tried
        });
    });
    tables("images", program.images,
           [&](fmt::ImageT &image) { number("image.section", image.section); });
    tables("instructions", program.instructions, [&](fmt::InstructionT &instruction) {
      number("instruction.kind", instruction.kind);
      number("instruction.predicate", instruction.predicate);
      number("instruction.value", instruction.value);
      tables("variants", instruction.variants,
             [&](fmt::VariantT &variant) { walkVariant(variant); });
    });
    tables("loops", program.loops, [&](fmt::LoopT &loop) {
      number("loop.trip_count", loop.trip_count);
      number("loop.condition", loop.condition);
      number("loop.again", loop.again);
      list("loop.entries", loop.entries);
      list("loop.carried", loop.carried);
      list("loop.nexts", loop.nexts);
      list("loop.results", loop.results);
      list("loop.slices", loop.slices);
      list("loop.stacks", loop.stacks);
    });
  }

  Visit visit_;
};

class Mutated : public OnFakes {
protected:
  /// Lies about each number of what `make` makes, and runs each on `inputs`. Counts
  /// how that ends, by status; `ok` must be among the ends of the file itself.
  void lieAboutAll(const std::function<ArtifactMaker()> &make,
                   const std::function<NamedValues()> &inputs) {
    std::vector<size_t> lies; // per number
    ArtifactMaker counted = make();
    NumberWalk([&](std::string_view name, int64_t, const auto &) {
      lies.push_back(name.ends_with('!') ? 1 : numLies);
    }).walk(counted.header);
    ASSERT_EQ(run(make(), inputs()).code(), StatusCode::ok);
    std::map<std::string, int> ends;
    for (size_t at = 0; at < lies.size(); ++at)
      for (size_t lie = 0; lie < lies[at]; ++lie) {
        ArtifactMaker maker = make();
        size_t index = 0;
        std::string what;
        NumberWalk([&](const char *name, int64_t value, const auto &set) {
          if (index++ != at)
            return;
          set(lieFor(value, lie));
          what = name;
        }).walk(maker.header);
        SCOPED_TRACE(what + " #" + std::to_string(at) + ", lie " + std::to_string(lie));
        Status end = run(std::move(maker), inputs());
        ++ends[std::string(toString(end.code()))];
        EXPECT_NE(end.code(), StatusCode::internal) << end.toString();
        EXPECT_FALSE(end.message().empty() && !end.ok());
      }
    for (auto [end, count] : ends)
      RecordProperty(end, count);
    EXPECT_GT(ends["corrupt data"], 0);
  }

private:
  static constexpr size_t numLies = 12;
  static int64_t lieFor(int64_t value, size_t lie) {
    using Limits = std::numeric_limits<int64_t>;
    const int64_t lies[numLies] = {0,
                                   1,
                                   2,
                                   -1,
                                   value + 1,
                                   value - 1,
                                   value ^ 4,
                                   1000,
                                   std::numeric_limits<int32_t>::max(),
                                   std::numeric_limits<int32_t>::min(),
                                   Limits::max(),
                                   Limits::min()};
    return lies[lie];
  }

  Status run(ArtifactMaker maker, const NamedValues &inputs) {
    std::string path = temporaryPath("mutated-" + device() + ".hxm");
    writeFile(path, maker.assemble());
    auto model = Model::open(path);
    if (!model)
      return model.status();
    auto session = Session::create(*model, {.device = device()});
    if (!session)
      return session.status();
    // Twice: states and plans outlive a run.
    HEXIN_RETURN_IF_ERROR(session->run(inputs).status());
    return session->run(inputs).status();
  }
};

TEST_P(Mutated, LaunchesAndWeights) {
  lieAboutAll([&] { return makeAddScale(device()); },
              [] { return NamedValues{{"x", makeTensor({4}, {1, 2, 3, 4})}}; });
}

TEST_P(Mutated, ViewsBranchesScratchAndConstraints) {
  auto make = [&] {
    ArtifactMaker m(device());
    uint32_t x = m.input("x", DType::f32, {-1}, {"n"});
    int32_t n = m.inputDim(0, 0), two = m.constant(2), four = m.constant(4);
    int32_t bytes = m.op(Op::mul, n, four);
    int32_t isBig = m.op(Op::lt, two, n);
    int32_t isSmall = m.op(Op::eq, isBig, m.constant(0));
    int32_t scale = m.kernel("scale", {false, true}, 2);
    int32_t scratch = m.kernel("scale_by_scratch", {false, true, true}, 2);
    uint32_t a = m.temp(DType::f32, {n}), b = m.temp(DType::f32, {n});
    uint32_t chosen = m.phi(isBig, a, b, DType::f32, {n});
    uint32_t y = m.output("y", DType::f32, {m.op(Op::mul, n, two)});
    uint32_t first = m.alias(y, -1, DType::f32, {n});
    uint32_t second = m.alias(y, bytes, DType::f32, {n});
    m.runKernel(scale, {x, a}, {n, two}).predicate = isBig;
    m.runKernel(scale, {x, b}, {n, four}).predicate = isSmall;
    m.runKernel(scratch, {chosen, first}, {n, two}).variants[0]->scratch_bytes = bytes;
    m.runKernel(scale, {chosen, second}, {n, m.op(Op::select, isBig, two, four)});
    m.constraint(n, 1, 100, "n is 1 to 100");
    m.constraint(n, 1, 100, "n is {0}");
    m.program().constraints.back()->shown = {n};
    return m;
  };
  lieAboutAll(make, [] { return NamedValues{{"x", makeTensor({5}, {1, 2, 3, 4, 5})}}; });
}

TEST_P(Mutated, SizesThatTheRunMakes) {
  // y = the elements of x above zero, and how many there are.
  auto make = [&] {
    ArtifactMaker m(device());
    uint32_t x = m.input("x", DType::f32, {-1}, {"n"});
    int32_t n = m.inputDim(0, 0);
    uint32_t count = m.temp(DType::i64, {m.constant(1)}, fmt::Residency::both);
    int32_t found = m.element(count, 0);
    uint32_t y = m.output("y", DType::f32, {found});
    int32_t counting = m.kernel("count_positive", {false, true}, 1, 4);
    auto &kernel = *m.program().kernels[0];
    kernel.exprs.push_back(fmt::ExprNode(8, 0, 0, 0, Op::constant)); // 3
    kernel.exprs.push_back(fmt::ExprNode(1, 0, 0, 0, Op::constant)); // 4
    kernel.footprints[1] = 3;
    kernel.items = 4;
    int32_t compact = m.kernel("compact_positive", {false, true}, 2, 4);
    auto &second = *m.program().kernels[1];
    second.exprs.push_back(fmt::ExprNode(1, 1, 0, 0, Op::param));    // 3
    second.exprs.push_back(fmt::ExprNode(0, 3, 1, 0, Op::mul));      // 4
    second.exprs.push_back(fmt::ExprNode(1, 0, 0, 0, Op::constant)); // 5
    second.footprints[1] = 4;
    second.items = 5;
    m.runKernel(counting, {x, count}, {n});
    m.toHost(count);
    m.runKernel(compact, {x, y}, {n, found});
    m.outputOf("count", count);
    return m;
  };
  lieAboutAll(make, [] { return NamedValues{{"x", makeTensor({4}, {1, -2, 3, 4})}}; });
}

TEST_P(Mutated, StatesAndHostOps) {
  auto make = [&] {
    ArtifactMaker m(device());
    uint32_t x = m.input("x", DType::f32, {-1}, {"n"});
    uint32_t memory = m.input("memory", DType::f32, {-1}, {"n"});
    uint32_t shape = m.input("shape", DType::i64, {2}, {}, fmt::Residency::host);
    int32_t n = m.inputDim(0, 0);
    int32_t add = m.kernel("add", {false, false, true}, 1);
    uint32_t next = m.output("next", DType::f32, {n});
    m.runKernel(add, {x, memory, next}, {n});
    uint32_t sum = m.temp(DType::i64, {m.constant(2)}, fmt::Residency::host);
    Attributes kind;
    kind.set("fn", std::string("add"));
    m.runHost("binary", kind, {shape, shape}, {sum});
    m.outputOf("sum", sum);
    m.state("memory", 1, 0);
    return m;
  };
  lieAboutAll(make, [] {
    return NamedValues{{"x", makeTensor({3}, {1, 2, 3})},
                       {"shape", makeInts({2}, {4, 5})}};
  });
}

TEST_P(Mutated, Loops) {
  lieAboutAll([&] { return std::move(DoublingLoop(device()).m); },
              [] {
                return NamedValues{{"x", makeTensor({2}, {1, -3})},
                                   {"trips", makeInts({1}, {3})}};
              });
}

TEST_P(Mutated, ValuesOfTheHost) {
  Sequence s = sequenceOf({makeTensor({3}, {1, 2, 3}), makeTensor({1}, {4})});
  lieAboutAll([&] { return makeTakeAndPut(device()); },
              [&] { return NamedValues{{"s", s}, {"at", makeInts({}, {1})}}; });
}

TEST_P(Mutated, LoopsOfValuesOfTheHost) {
  Sequence s = sequenceOf({makeTensor({1}, {4})});
  lieAboutAll([&] { return makeGrowing(device()); },
              [&] {
                return NamedValues{{"s", s},
                                   {"x", makeTensor({2}, {5, 6})},
                                   {"trips", makeInts({1}, {3})}};
              });
}

HEXIN_ON_BOTH_FAKES(Mutated);

} // namespace
} // namespace hexin
