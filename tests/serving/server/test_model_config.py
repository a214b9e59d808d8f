from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.server.model_config import ModelConfig, of_folder, parse
from transform_module.errors import UserError

WHOLE = """
model_config_list {
  config {
    name: "cxr" base_path: "/models/cxr" model_platform: "tensorflow"
    model_version_policy { specific { versions: 3 versions: 17 } }
    version_labels { key: "stable" value: 3 }
    version_labels { key: "canary" value: 17 }
  }
  config { name: "other" base_path: "/models/other/" }
}
"""


def only(inner):
    """Reads a file of one model with this policy and more."""
    (config,) = parse(f'model_config_list {{ config {{ name: "m" base_path: "/m" {inner} }} }}')
    return config


def make_version(folder, name):
    (folder / name).mkdir(parents=True)
    (folder / name / "saved_model.pb").write_bytes(b"graph")
    return folder / name


class TestParse:
    def test_a_file_is_read(self):
        labels = {"stable": 3, "canary": 17}
        assert parse(WHOLE) == [
            ModelConfig("cxr", Path("/models/cxr"), specific=(3, 17), labels=labels),
            ModelConfig("other", Path("/models/other")),
        ]

    @pytest.mark.parametrize(
        ("policy", "expected"),
        [
            ("", {}),
            ("model_version_policy {}", {}),
            ("model_version_policy { latest {} }", {"latest": 1}),
            ("model_version_policy { latest { num_versions: 0 } }", {"latest": 1}),
            ("model_version_policy { latest { num_versions: 3 } }", {"latest": 3}),
            ("model_version_policy { all {} }", {"every": True}),
            ("model_version_policy { specific { versions: 5 } }", {"specific": (5,)}),
        ],
    )
    def test_policies(self, policy, expected):
        assert only(policy) == ModelConfig("m", Path("/m"), **expected)

    def test_no_model_is_a_configuration_too(self):
        assert parse("model_config_list {}") == []

    @pytest.mark.parametrize(
        ("before", "after", "message"),
        [
            ("name:", "nome:", r"^No ModelServerConfig text proto, line:column 4:5 .*nome"),
            ("versions: 3", "versions: three", r"^No ModelServerConfig .* 5:49 .*three"),
            ("}\n}", "}\n", r"^No ModelServerConfig"),
            ('"other"', '"cxr"', r"^name: cxr is given twice"),
            ('name: "other"', "", r"^name: is missing in a model of model_config_list"),
            ('base_path: "/models/other/"', "", r"^model other: base_path: is missing"),
            ('"tensorflow"', '"pytorch"', r"^model cxr: model_platform: .* is pytorch"),
            ("versions: 3 versions: 17", "", r"^model cxr: specific: names no version"),
        ],
    )
    def test_a_wrong_file_is_refused_with_the_place(self, before, after, message):
        assert before in WHOLE
        with pytest.raises(UserError, match=message):
            parse(WHOLE.replace(before, after, 1))

    @pytest.mark.parametrize(
        "text", ["", 'custom_model_config { type_url: "type.googleapis.com/x" }']
    )
    def test_what_lists_no_models_is_refused(self, text):
        with pytest.raises(UserError, match=r"^model_config_list: is missing"):
            parse(text)


class TestWanted:
    PRESENT = (1, 5, 9)

    @pytest.mark.parametrize(
        ("policy", "wanted"),
        [
            ({}, {9}),
            ({"latest": 2}, {5, 9}),
            ({"latest": 7}, {1, 5, 9}),
            ({"specific": (1, 5)}, {1, 5}),
            ({"specific": (4,)}, {4}),
            ({"every": True}, {1, 5, 9}),
        ],
    )
    def test_choice(self, policy, wanted):
        assert ModelConfig("m", Path("/m"), **policy).wanted(self.PRESENT) == wanted

    @pytest.mark.parametrize("policy", [{}, {"latest": 2}, {"every": True}])
    def test_of_nothing_nothing_is_chosen(self, policy):
        assert ModelConfig("m", Path("/m"), **policy).wanted(()) == set()

    @given(st.sets(st.integers(1, 50)), st.integers(1, 60))
    def test_the_latest_are_the_greatest(self, present, count):
        wanted = ModelConfig("m", Path("/m"), latest=count).wanted(sorted(present))
        assert wanted <= present
        assert len(wanted) == min(count, len(present))
        assert not wanted or all(other < min(wanted) for other in present - wanted)


class TestFolder:
    def test_of_a_models_folder_the_latest_is_followed(self, tmp_path):
        make_version(tmp_path / "cxr", "17")
        assert of_folder(tmp_path / "cxr") == ModelConfig("cxr", tmp_path / "cxr")

    def test_the_folder_of_a_version_pins_it(self, tmp_path):
        path = make_version(tmp_path / "cxr", "17")
        make_version(tmp_path / "cxr", "18")
        assert of_folder(path) == ModelConfig("cxr", tmp_path / "cxr", specific=(17,))

    def test_a_relative_path_has_a_name_too(self, tmp_path, monkeypatch):
        make_version(tmp_path / "cxr", "17")
        monkeypatch.chdir(tmp_path / "cxr")
        assert of_folder(Path()) == ModelConfig("cxr", tmp_path / "cxr")
        assert of_folder(Path("17")).specific == (17,)

    def test_a_saved_model_whose_folder_is_not_a_number_is_refused(self, tmp_path):
        path = make_version(tmp_path / "cxr", "best")
        with pytest.raises(UserError, match=r"best: the name of a version's folder is its number"):
            of_folder(path)

    @pytest.mark.parametrize("name", ["nowhere", "empty", "file"])
    def test_a_folder_without_versions_is_refused(self, tmp_path, name):
        (tmp_path / "empty" / ".tmp-3").mkdir(parents=True)
        (tmp_path / "file").write_text("text")
        with pytest.raises(UserError, match=rf"^No model at .*{name}\. Give the folder"):
            of_folder(tmp_path / name)
