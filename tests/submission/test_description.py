"""The description of a system: read from a host, completed by its owner, and never guessed."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given as any_of
from hypothesis import settings
from hypothesis import strategies as st
from system_description import accelerators, host, memory, work
from system_description.description import FROM_RUNS, Description
from system_description.given import DescriptionError
from system_description.values import Origin, Value
from tests.submission.conftest import FAKE_HOST

FLAGS = {"submitter": "me", "division": "open", "system_type": "edge", "status": "available"}


@pytest.fixture
def order(tmp_path):
    def make(**changes):
        fields = {"name": "box", "given": FLAGS, "file": None, "here": tmp_path, "output": tmp_path / "out"}
        return work.Order(**(fields | {"round": "v6.1", "on_cpu": True} | changes))

    return make


def describe(order, root=FAKE_HOST):
    name, path = work.describe(order, root)
    assert path == order.output / "systems" / f"{name}.json"
    origins = json.loads(path.with_name(f"{name}.origins.json").read_text())
    return json.loads(path.read_text()), {key: one["origin"] for key, one in origins.items()}


class TestHost:
    def test_what_the_kernel_tells(self):
        found = {key: value.text for key, value in host.read(FAKE_HOST, on_cpu=True).items()}
        assert found == {
            "host_processor_model_name": "Test CPU 9000",
            "host_processors_per_node": "2",
            "host_processor_core_count": "2",
            "host_processor_frequency": "3.90 GHz (maximum)",
            "host_processor_caches": "L1d 48K, L3 61440K",
            "host_memory_capacity": "31.2 GiB",
            "host_memory_configuration": "2x 16 GiB Unbuffered-DDR5",
            "host_storage_capacity": "1x 932 GiB",
            "host_storage_type": "NVMe SSD",
            "host_networking": "1x Ethernet 25000 Mb/s",
            "host_network_card_count": "1",
            "operating_system": "Test Linux 12 (x), kernel 6.1.0-test",
            "accelerators_per_node": "0",
            "accelerator_model_name": "N/A",
            "accelerator_memory_capacity": "N/A",
            "accelerator_memory_configuration": "N/A",
            "accelerator_host_interconnect": "N/A",
            "accelerator_interconnect": "N/A",
            "accelerator_interconnect_topology": "N/A",
            "accelerator_frequency": "N/A",
            "accelerator_on-chip_memories": "N/A",
        }

    def test_this_very_host_gives_answers(self):
        assert {"host_memory_capacity", "operating_system"} <= set(host.read(on_cpu=True))

    def test_a_host_that_tells_nothing_is_not_guessed_at(self, tmp_path):
        assert host.read(tmp_path) == {}

    def test_memory_modules_from_the_firmware_s_table(self, tmp_path):
        def table(mebibytes, kind, speed):
            raw = bytearray(0x30)
            raw[0x0C:0x0E] = min(mebibytes, 0x7FFF).to_bytes(2, "little")
            raw[0x12], raw[0x15:0x17] = kind, speed.to_bytes(2, "little")
            raw[0x1C:0x20] = mebibytes.to_bytes(4, "little")
            return bytes(raw)

        tables = [table(65536, 0x22, 4800), table(65536, 0x22, 4800), table(8192, 0x1A, 3200), table(0, 0, 0)]
        for number, one in enumerate(tables):
            folder = tmp_path / "sys/firmware/dmi/entries" / f"17-{number}"
            folder.mkdir(parents=True)
            (folder / "raw").write_bytes(one)
        found = memory.read(tmp_path)["host_memory_configuration"]
        assert found.text == "2x 64 GiB DDR5 4800 MT/s, 1x 8 GiB DDR4 3200 MT/s"

    @settings(deadline=None, max_examples=50)
    @any_of(st.binary(max_size=64))
    def test_no_table_makes_it_fail(self, content):
        import tempfile

        with tempfile.TemporaryDirectory() as root:
            folder = Path(root) / "sys/firmware/dmi/entries/17-0"
            folder.mkdir(parents=True)
            (folder / "raw").write_bytes(content)
            memory.read(Path(root))


class FakeNvml:
    """Two GPUs; ``broken`` calls fail, as on old drivers."""

    NVML_CLOCK_SM = 1

    def __init__(self, count=2, broken=()):
        self.count, self.broken, self.closed = count, broken, False

    def __getattr__(self, name):
        answers = {
            "nvmlInit": lambda: None,
            "nvmlDeviceGetCount": lambda: self.count,
            "nvmlDeviceGetHandleByIndex": lambda index: index,
            "nvmlDeviceGetName": lambda handle: b"Test GPU",
            "nvmlDeviceGetMemoryInfo": lambda handle: SimpleNamespace(total=80 * 1024**3),
            "nvmlDeviceGetMaxClockInfo": lambda handle, clock: 1980,
            "nvmlDeviceGetMaxPcieLinkGeneration": lambda handle: 5,
            "nvmlDeviceGetMaxPcieLinkWidth": lambda handle: 16,
            "nvmlDeviceGetNvLinkState": lambda handle, link: link < 4,
        }
        if name in self.broken:
            raise RuntimeError("not supported")
        if name == "nvmlShutdown":
            self.closed = True
        return answers.get(name, lambda *arguments: None)


class TestAccelerators:
    def test_what_nvml_says(self):
        nvml = FakeNvml()
        found = {key: (one.text, one.origin) for key, one in accelerators.read(nvml).items()}
        assert found == {
            "accelerators_per_node": ("2", Origin.DETECTED),
            "accelerator_model_name": ("Test GPU", Origin.DETECTED),
            "accelerator_memory_capacity": ("80 GiB", Origin.DETECTED),
            "accelerator_frequency": ("1980 MHz (maximum)", Origin.DETECTED),
            "accelerator_host_interconnect": ("PCIe Gen5 x16", Origin.DETECTED),
            "accelerator_interconnect": ("NVLink, 4 links", Origin.DETECTED),
        }
        assert nvml.closed

    def test_what_a_driver_does_not_answer_is_left_out(self):
        found = accelerators.read(FakeNvml(broken=("nvmlDeviceGetMemoryInfo",)))
        assert "accelerator_memory_capacity" not in found and "accelerator_model_name" in found

    def test_one_gpu_has_no_link_to_another(self):
        assert accelerators.read(FakeNvml(1))["accelerator_interconnect"].origin is Origin.NOT_APPLICABLE

    @pytest.mark.parametrize("nvml", [FakeNvml(0), FakeNvml(broken=("nvmlInit",))])
    def test_without_gpus_nothing_is_claimed(self, nvml):
        assert accelerators.read(nvml) == {}


class TestOwner:
    def test_all_that_is_missing_is_named_at_once_with_a_file_that_asks(self, order, tmp_path):
        with pytest.raises(DescriptionError) as caught:
            describe(order(given={}))
        said, file = caught.value, tmp_path / "box-system.yaml"
        for key in ("submitter", "division", "status", "system_type", "host_networking_topology", "cooling"):
            assert key in said.cause and f'\n{key}: ""' in file.read_text()
        assert str(file) in said.hint
        assert '# host_processor_model_name: "Test CPU 9000"  # detected' in file.read_text()
        assert "# for example air, liquid or passive" in file.read_text()

    def test_the_filled_file_makes_it_complete(self, order, tmp_path):
        (tmp_path / "box-system.yaml").write_text("cooling: air\nhost_networking_topology: N/A\n")
        texts, origins = describe(order())
        assert (texts["cooling"], origins["cooling"]) == ("air", "given")
        assert origins["host_processor_model_name"] == "detected"
        assert origins["accelerator_model_name"] == "not applicable"
        assert origins["host_processor_interconnect"] == "left empty"
        assert Description.from_files(json.dumps(texts), "", "v6.1").missing() == FROM_RUNS

    def test_a_file_that_is_there_is_never_written_over(self, order, tmp_path):
        file = tmp_path / "box-system.yaml"
        file.write_text("cooling: air  # by the window\n")
        with pytest.raises(DescriptionError) as caught:
            describe(order())
        assert file.read_text() == "cooling: air  # by the window\n"
        assert 'host_networking_topology: ""' in caught.value.cause

    def test_the_owner_is_believed_and_told(self, order, tmp_path, capsys):
        text = "cooling: air\nhost_networking_topology: N/A\nhost_processor_core_count: 64\n"
        (tmp_path / "box-system.yaml").write_text(text)
        texts, origins = describe(order())
        assert (texts["host_processor_core_count"], origins["host_processor_core_count"]) == ("64", "given")
        assert "you say '64', the host says '2'" in capsys.readouterr().out

    def test_questions_on_a_terminal_are_asked_once(self, order, tmp_path):
        answers = {"cooling": "water", "host_networking_topology": "N/A"}
        asked = []

        def ask(question):
            asked.append(question.partition(" ")[0])
            return answers[asked[-1]]

        texts, _ = describe(order(ask=ask))
        assert texts["cooling"] == "water" and set(asked) == set(answers)
        asked.clear()
        assert describe(order(ask=ask))[0] == texts and not asked

    def test_an_answer_that_is_left_out_is_missing(self, order):
        with pytest.raises(DescriptionError, match="cooling"):
            describe(order(ask=lambda question: ""))

    def test_a_demonstration_has_placeholders_and_no_guesses(self, order):
        texts, origins = describe(order(given={}, demonstration=True))
        assert (texts["cooling"], origins["cooling"]) == ("not given", "placeholder")
        assert texts["status"] == "rdi" and not set(FROM_RUNS) & set(texts)

    @pytest.mark.parametrize(
        ("text", "word"),
        [
            ("[", "neither YAML nor JSON"),
            ("- a\n", "must have lines of the form"),
            ("coolin: air\n", "unknown key 'coolin' (did you mean 'cooling'?)"),
            ("cooling: [air]\n", "'cooling' must be a text or a number"),
            ("cooling: !!python/object:os.system x\n", "neither YAML nor JSON"),
        ],
    )
    def test_files_that_cannot_be_used(self, order, tmp_path, text, word):
        (tmp_path / "box-system.yaml").write_text(text)
        with pytest.raises(DescriptionError) as caught:
            describe(order())
        assert word in caught.value.cause

    def test_a_file_of_bytes(self, order, tmp_path):
        (tmp_path / "box-system.yaml").write_bytes(b"\xff\x00\xfe")
        with pytest.raises(DescriptionError, match="neither YAML nor JSON"):
            describe(order())

    def test_the_number_0_becomes_text(self, order, tmp_path):
        """As a number upstream's checker takes it for an empty answer."""
        text = '{"cooling": "air", "host_networking_topology": "N/A", "accelerators_per_node": 0}'
        (tmp_path / "mine.json").write_text(text)
        assert describe(order(file=tmp_path / "mine.json"))[0]["accelerators_per_node"] == "0"

    def test_values_that_are_not_allowed(self, order, tmp_path):
        (tmp_path / "box-system.yaml").write_text("cooling: air\nhost_networking_topology: N/A\nnumber_of_nodes: one\n")
        with pytest.raises(DescriptionError, match="'number_of_nodes' is 'one', not a whole number"):
            describe(order())

    @pytest.mark.parametrize("name", ["../x", "a b", ".x", "x/y"])
    def test_hostile_names(self, order, name):
        with pytest.raises(DescriptionError, match="cannot be a folder of a submission"):
            describe(order(name=name))

    def test_power_asks_for_more(self, order, tmp_path):
        (tmp_path / "box-system.yaml").write_text("cooling: air\nhost_networking_topology: N/A\n")
        assert "power_supply_details" in describe(order(power=True))[0]


def test_a_value_that_was_edited_is_no_longer_detected(order, tmp_path):
    shutil.copytree(FAKE_HOST, tmp_path / "root")
    (tmp_path / "box-system.yaml").write_text("cooling: air\nhost_networking_topology: N/A\n")
    _, path = work.describe(order(), tmp_path / "root")
    origins = path.with_name("box.origins.json").read_text()
    edited = path.read_text().replace("Test CPU 9000", "Better CPU")
    found = Description.from_files(edited, origins, "v6.1").values["host_processor_model_name"]
    assert found == Value("Better CPU", Origin.GIVEN, "edited by hand")
