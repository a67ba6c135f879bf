"""What goes wrong with a GPU, as a user meets it: which error, what still works, what is left."""


def test_no_driver(on_standin):
    on_standin("""
fails(hexin.UnavailableError, "no CUDA driver", session)
works("cpu")
""", has_driver=False, environment={"HEXIN_CUDA_LIBRARY": "libhexin-no-such-driver.so"})


def test_no_device(on_standin):
    for switches in ({"DEVICES": "none"}, {"FAIL_INIT": 100}):
        on_standin("""
fails(hexin.UnavailableError, "there is no device 'cuda:0'", session)
works("cpu")
""", **switches)


def test_an_old_driver(on_standin):
    on_standin("""
fails(hexin.UnavailableError, "CUDA 12.0 (driver 525) or later is needed", session)
works("cpu")
""", DRIVER="11.8")


def test_a_refused_module(on_standin):
    on_standin("""
driver.set("FAIL_MODULE", 1)
fails(hexin.Error, "loading the 'ptx-sm_80' code", session)
check_nothing_left()
works("cuda:0")
check_nothing_left()
""")


def test_no_memory_at_the_nth_allocation(on_standin):
    on_standin("""
before = driver.counters().allocations
works("cuda:0")
total = driver.counters().allocations - before
assert total >= 3, total
failed = 0
for n in range(1, total + 2):
    driver.set("FAIL_ALLOCATION", n)
    try:
        works("cuda:0")  # without page-locked memory copies go straight
    except hexin.ResourceExhaustedError as error:
        failed += 1
        assert "CUDA_ERROR_OUT_OF_MEMORY" in str(error), error
    check_nothing_left()
assert failed >= 2, failed
driver.set("FAIL_ALLOCATION")
used = session()
driver.set("FAIL_ALLOCATION", "1+")
fails(hexin.ResourceExhaustedError, "CUDA_ERROR_OUT_OF_MEMORY", lambda: used.run({"x": x}))
driver.set("FAIL_ALLOCATION")
np.testing.assert_allclose(used.run({"x": x})["y"], expected)  # the same session goes on
""")


def test_a_refused_launch_leaves_the_session_usable(on_standin):
    on_standin("""
used = session()
driver.set("REFUSE_LAUNCH", 1)
text = fails(hexin.Error, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES (701)", lambda: used.run({"x": x}))
assert "node '" in text and ("product" in text or "sum" in text), text
driver.set("REFUSE_LAUNCH")
np.testing.assert_allclose(used.run({"x": x})["y"], expected)
del used
check_nothing_left()
""")


def test_a_kernel_that_dies(on_standin):
    on_standin("""
used, other = session(), session("cuda:1")
driver.set("FAULT_LAUNCH", 1)
text = fails(hexin.DeviceLostError, "CUDA_ERROR_ILLEGAL_ADDRESS (700)", lambda: used.run({"x": x}))
assert "node" in text and ("product" in text or "sum" in text) and "kernel" in text, text
driver.set("FAULT_LAUNCH")
fails(hexin.DeviceLostError, "is lost since", lambda: used.run({"x": x}))
np.testing.assert_allclose(other.run({"x": x})["y"], expected)
works("cpu")
del used
gc.collect()
works("cuda:0")  # with a new context
del other
check_nothing_left()
""", DEVICES="sm_80,sm_90")


def test_a_device_that_is_lost_in_mid_run(on_standin):
    on_standin("""
used, other = session(), session("cuda:1")
driver.set("LOSE_DEVICE", "0:1")
text = fails(hexin.DeviceLostError, "device 'cuda:0'", lambda: used.run({"x": x}))
assert "product" in text or "sum" in text, text
fails(hexin.DeviceLostError, "is lost since", lambda: used.run({"x": x}))
np.testing.assert_allclose(other.run({"x": x})["y"], expected)
works("cpu")
""", DEVICES="sm_80,sm_90")


def test_arrays_go_from_device_to_device(on_standin):
    """Not by way of the host."""
    text = """
near = hexin.to_device(x, "cuda:0")
before = driver.counters()
far = hexin.to_device(near, "cuda:1")
after = driver.counters()
moved = [getattr(after, name) - getattr(before, name) for name in ("deviceToDeviceBytes", "deviceToHostBytes")]
assert moved == [x.nbytes, 0], moved
np.testing.assert_array_equal(far.numpy(), x)
np.testing.assert_allclose(session("cuda:1").run({"x": far})["y"], expected)
del near, far
check_nothing_left()
"""
    for seed in (0, 5):
        on_standin(text, DEVICES="sm_80,sm_90", SEED=seed)


def test_two_devices_at_once(on_standin):
    on_standin("""
opened = hexin.Model(model)
wrong = []
def work(device):
    mine = hexin.Session(opened, device=device, cache_dir="none")
    for n in range(1, 9):
        data = np.full((n, 3), n, np.float32)
        wanted = data @ small_models.WEIGHTS + small_models.BIAS
        if not np.allclose(mine.run({"x": data})["y"], wanted):
            wrong.append((device, n))
threads = [threading.Thread(target=work, args=(device,)) for device in ("cuda:0", "cuda:1", "cuda:0", "cpu")]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not wrong, wrong
check_nothing_left()
""", DEVICES="sm_80,sm_90", SEED=3)


def test_a_run_copies_its_inputs_and_outputs_only(on_standin):
    on_standin("""
used = session()
used.run({"x": x})  # weights are on their way until here
for _ in range(3):
    before = driver.counters()
    y = used.run({"x": x})["y"]
    after = driver.counters()
    assert after.hostToDeviceBytes - before.hostToDeviceBytes == x.nbytes
    assert after.deviceToHostBytes - before.deviceToHostBytes == y.nbytes
    assert after.deviceToDeviceBytes == before.deviceToDeviceBytes
""")
