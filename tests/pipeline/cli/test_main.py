import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from components.synthetic.generate import SyntheticSet
from pipeline.cli.main import main
from pipeline.config.config_file import load
from pipeline.run_records import run_record
from pipeline.run_records.run_record import PushRecord
from serving.beam.beam_args import flink_args
from serving.images.dataset import Dataset
from serving.predict.files import FilePrediction
from serving.predict.many.job import Summary
from serving.predict.structured_report.job import ReportedPrediction
from tests.pipeline import records
from tests.pipeline.command import REPOSITORY
from tests.pipeline.printed import cells
from transform_module.errors import UserError

COMMANDS = (
    *("run", "synth", "convert", "config", "runs", "clean", "predict", "explain", "evaluate"),
    *("align", "inspect", "serve", "verify"),
    *("rollback", "export", "compile", "rehearse", "submit", "schedule"),
)
SLOW_TO_IMPORT = ("tensorflow", "tfx", "apache_beam", "pydantic", "rich", "pydicom", "highdicom")
HELP = f"""
import sys
from pipeline.cli.main import main
try:
    main(sys.argv[1:])
finally:
    print(*({set(SLOW_TO_IMPORT)!r} & set(sys.modules)), file=sys.stderr)
"""


def cxr(*arguments, code=0):
    """What a command printed; to standard error where it did not end well."""
    result = CliRunner().invoke(main, list(map(str, arguments)))
    assert result.exit_code == code, result.output
    return result.stdout if code in (0, 4) else result.stderr


class Call:
    """Stands for what a command calls, and remembers with what."""

    def __init__(self, result):
        self.result = result
        self.arguments, self.options = (), {}

    def __call__(self, *arguments, **options):
        self.arguments, self.options = arguments, options
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result


@pytest.fixture
def called(monkeypatch):
    def replace(name, result):
        call = Call(result)
        monkeypatch.setattr(name, call)
        return call

    return replace


@pytest.fixture
def run(called, monkeypatch, tmp_path):
    """Stands for the pipeline, where `cxr run` calls it."""
    monkeypatch.chdir(tmp_path)
    called("pipeline.run.allocator.tune_allocator", None)
    called("pipeline.run.preflight.before_run.check", 600)
    return called("pipeline.run.whole_run.run", records.run())


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)])
def test_help_is_printed_without_slow_imports(command):
    done = subprocess.run(
        [sys.executable, "-c", HELP, *command, "--help"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(f"Usage: -c {' '.join(command)}".rstrip())
    assert done.stderr.strip() == ""


def test_a_run_is_refused_without_what_is_slow_to_import(tmp_path):
    words = ["run", "--images", "nowhere", "--root", str(tmp_path / "root")]
    done = subprocess.run(
        [sys.executable, "-c", HELP, *words],
        cwd=REPOSITORY,
        env={**os.environ, "LD_PRELOAD": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "No image folder at" in done.stderr
    assert not {"tensorflow", "tfx", "apache_beam"} & set(done.stderr.splitlines()[-1].split())
    assert not (tmp_path / "root").exists()


def test_help_names_every_command():
    message = cxr("--help")
    assert all(f"\n  {name} " in message for name in COMMANDS)
    assert set(main.commands) == set(COMMANDS)


def test_the_version_is_reported():
    assert cxr("--version").startswith("cxr, version ")


def test_an_unknown_command_is_a_usage_error():
    assert "No such command 'fly'" in cxr("fly", code=2)


def test_a_users_mistake_is_reported_in_one_sentence_without_a_traceback(run):
    run.result = UserError("The disk is full.")
    assert cxr("run", code=1).splitlines()[-1] == "Error: The disk is full."


def test_ctrl_c_ends_with_130_and_says_how_to_continue(run):
    run.result = KeyboardInterrupt()
    message = cxr("run", code=130)
    assert message == "Interrupted. Repeat the command to resume.\n"


def config_of(run):
    return run.arguments[0]


def test_run_without_anything_has_the_default_configuration(run, tmp_path):
    cxr("run")
    config, root, run_id, _ = run.arguments
    assert config == load()
    assert root.path == tmp_path / "cxr-root"
    assert (root.path / "logs" / f"{run_id}.log").is_file()


@pytest.mark.parametrize("images", ["images", "a folder: 'x', [1]", "null", "7"])
def test_run_hands_the_folder_of_images_on_as_it_is(run, images):
    cxr("run", "--images", images)
    assert config_of(run).images == images


def test_run_hands_orchestrator_and_overrides_on(run):
    cxr("run", "--orchestrator", "beam", "--set", "trainer.epochs=3", "--set", "seed=8")
    assert config_of(run) == load(None, ["orchestrator=beam", "trainer.epochs=3", "seed=8"])


def test_options_win_over_the_file(run, tmp_path):
    (tmp_path / "my.yaml").write_text("images: here\norchestrator: local\nseed: 3")
    cxr("run", "--config", "my.yaml", "--images", "there", "--orchestrator", "beam")
    config = config_of(run)
    assert (config.images, config.orchestrator, config.seed) == ("there", "beam", 3)


def test_options_win_over_what_is_set(run):
    cxr("run", "--images", "there", "--set", "images=here")
    assert config_of(run).images == "there"


def test_run_tunes_the_allocator_before_anything_else(run, called):
    class First(Exception):
        pass

    called("pipeline.run.allocator.tune_allocator", First())
    assert isinstance(CliRunner().invoke(main, ["run"]).exception, First)
    assert run.arguments == ()


def test_a_run_says_at_its_start_what_it_trains(run, capfd):
    cxr("run", "--config", "fast", "--json")
    message = capfd.readouterr().err
    assert "Preset fast: model compact, 0.3 million parameters, 20 epochs." in message
    assert "Expected: about" in message
    assert run.options["preset"] == "fast"


def test_wrong_paths_leave_no_trace(called, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    called("pipeline.run.allocator.tune_allocator", None)
    (tmp_path / "chest_xray").mkdir()
    message = cxr("run", "--images", "chest_xry", code=1)
    assert message.count("Error") == 1
    assert (
        f"No image folder at {tmp_path}/chest_xry. Did you mean {tmp_path}/chest_xray?" in message
    )
    assert [path.name for path in tmp_path.iterdir()] == ["chest_xray"]


def test_a_root_that_another_run_holds_gets_no_log(run, tmp_path):
    run.result = UserError("Another run holds it.")
    cxr("run", "--json", code=1)
    assert list((tmp_path / "cxr-root" / "logs").iterdir()) == []


def test_a_mistake_in_the_configuration_runs_nothing(run):
    assert "trainer.epochs" in cxr("run", "--set", "trainer.epoch=3", code=1)
    assert run.arguments == ()


@pytest.mark.parametrize(("options", "profile"), [((), False), (("--profile",), True)])
def test_run_is_profiled_where_that_is_set(run, options, profile):
    cxr("run", *options)
    assert run.options == {"preset": "", "profile": profile}


def test_run_prints_its_record_as_json_alone(run):
    printed = cxr("run", "--json")
    assert run_record.RunRecord.model_validate_json(printed) == records.run()


def test_run_prints_tables(run):
    assert "Pushed as version 1772366400" in cxr("run")


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_run_whose_model_is_not_pushed_ends_with_3(run, options):
    run.result = records.run(push=PushRecord(pushed=False, reason="its model_blessing says no"))
    result = CliRunner().invoke(main, ["run", *options])
    assert result.exit_code == 3
    assert "its model_blessing says no" in result.stdout


def test_what_libraries_say_goes_to_the_log(run, tmp_path, monkeypatch):
    def say(config, root, run_id, display, *, preset, profile):
        os.write(1, b"from C++\n")
        logging.getLogger("a.library").info("from a library")
        return records.run()

    monkeypatch.setattr("pipeline.run.whole_run.run", say)
    cxr("run")
    (log,) = (tmp_path / "cxr-root" / "logs").iterdir()
    assert "from C++\n" in log.read_text()
    assert "from a library\n" in log.read_text()


SET = SyntheticSet({"train": {"NORMAL": 2}}, 1, {"train/x.jpeg": "text file"})


def test_synth_hands_its_options_on(called, tmp_path):
    generate = called("components.synthetic.generate.generate", SET)
    assert "cxr run --images" in cxr("synth", tmp_path / "out", "--count", "80", "--seed", "9")
    assert generate.arguments == (tmp_path / "out",)
    assert (generate.options["images"], generate.options["seed"]) == (80, 9)


def test_synth_prints_json(called, tmp_path):
    called("components.synthetic.generate.generate", SET)
    assert json.loads(cxr("synth", tmp_path, "--json")) == {
        "images": {"train": {"NORMAL": 2}},
        "patients": 1,
        "broken": {"train/x.jpeg": "text file"},
    }


@pytest.fixture
def convert(called):
    return called("components.convert.convert.convert", records.DATASET)


def test_convert_without_anything_has_the_default_settings(convert):
    cxr("convert", "in", "out", "--json")
    assert convert.arguments == (Path("in"), Path("out"))
    assert convert.options["settings"] == load().dataset
    assert (convert.options["seed"], convert.options["beam_args"]) == (7, [])


def test_convert_hands_its_options_on(convert):
    pattern = r"^(\d+): '[a]'"
    cxr("convert", "in", "out", "--json", "--patient-pattern", pattern, "--max-bad", "0.5")
    settings = convert.options["settings"]
    assert (settings.patient_pattern, settings.max_bad) == (pattern, 0.5)


def test_convert_hands_the_table_of_patients_on(convert):
    cxr("convert", "in", "out", "--json", "--patients", "p: 1.csv")
    assert convert.options["settings"].patients == "p: 1.csv"


def test_convert_hands_on_where_the_labels_are(convert):
    classes = '{NORMAL: [0, "no: x"], PNEUMONIA: [1]}'
    given = ("--labels", "t: 1.csv", "--layout", "rsna", "--classes", classes)
    cxr("convert", "in", "out", "--json", *given)
    settings = convert.options["settings"]
    assert (settings.labels, settings.layout) == ("t: 1.csv", "rsna")
    assert settings.classes == {"NORMAL": ("0", "no: x"), "PNEUMONIA": ("1",)}


def test_convert_hands_on_what_becomes_of_images_that_the_table_misses(convert):
    cxr("convert", "in", "out", "--json", "--unlisted-patients", "alone")
    assert convert.options["settings"].unlisted_patients == "alone"


@pytest.mark.parametrize(
    "words",
    [
        ("convert", "in", "hdfs://b/out"),
        ("convert", "https://b/in", "out"),
        ("synth", "gs://b/out"),
        ("run", "--root", "gs://b/root"),
        ("run", "--images", "gs://b/images"),
        ("runs", "--root", "gs://b/root"),
        ("clean", "--root", "gs://b/root"),
        ("predict", "model", "x", "--out", "az://b/o.csv"),
        ("predict", "model", "x", "--dicom-sr", "s3://b/reports"),
        ("explain", "gs://b/model", "x", "--out", "o"),
        ("explain", "model", "x", "--out", "gs://b/o"),
        ("evaluate", "model", "gs://b/d", "--out", "o"),
        ("evaluate", "model", "d", "--out", "gs://b/o"),
        ("export", "--tflite", "model", "gs://b/o"),
        ("compile", "--target", "vertex", "--out", "gs://b/pipeline.json"),
        ("serve", "gs://b/model"),
    ],
)
def test_an_address_is_refused_where_a_local_path_is_needed(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    message = cxr(*words, code=1)
    assert "must be a local path; received" in message
    assert "Copy between this machine and there" in message
    assert list(tmp_path.iterdir()) == []


def test_predict_takes_no_model_from_a_bucket(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "The model must be a local path" in cxr("predict", "gs://b/model", "x.png", code=1)


def test_convert_hands_beams_options_on_after_the_configurations(convert):
    cxr("convert", "in", "out", "--json", "--set", "beam.args=[--a=1]", "--beam-arg=--b=2")
    assert convert.options["beam_args"] == ["--a=1", "--b=2"]


def test_convert_runs_on_the_configurations_cluster(convert):
    cxr("convert", "in", "out", "--json", "--set", "beam.flink=local", "--beam-arg=--b=2")
    assert convert.options["beam_args"] == [*flink_args("local"), "--b=2"]


def test_convert_prints_the_dataset_as_json(convert):
    assert Dataset.model_validate_json(cxr("convert", "in", "out", "--json")) == records.DATASET


def test_convert_prints_tables(convert):
    assert "written to out" in cxr("convert", "in", "out")


@pytest.mark.parametrize("source", [(), ("--config", "demo"), ("--set", "seed=8")])
def test_a_shown_configuration_loads_as_the_same(source, tmp_path):
    (tmp_path / "shown.yaml").write_text(cxr("config", "--show", *source))
    assert cxr("config", "--show", *source) == cxr(
        "config", "--show", "--config", tmp_path / ("shown.yaml")
    )


def test_a_shown_configuration_is_what_was_chosen(tmp_path):
    (tmp_path / "shown.yaml").write_text(cxr("config", "--show", "--set", "trainer.epochs=3"))
    assert load(str(tmp_path / "shown.yaml")) == load(None, ["trainer.epochs=3"])


def test_a_configuration_is_checked():
    assert cxr("config", "--config", "kaggle") == "The configuration is valid.\n"


def test_a_wrong_configuration_is_reported():
    assert "Error: 1 mistake in the configuration" in cxr("config", "--set", "seed=x", code=1)


@pytest.fixture
def root(tmp_path):
    for record in (
        records.run("20260301-1"),
        records.run("20260302-1", state="running", pid=-1, evaluation=None, push=None),
    ):
        run_record.save(record, tmp_path / "runs")
    return tmp_path


def test_runs_lists_every_run_under_a_root(root):
    lines = cxr("runs", "--root", root).splitlines()
    assert [line.split()[:2] for line in lines[1:3]] == [
        ["20260301-1", "finished"],
        ["20260302-1", "killed"],
    ]


def test_an_empty_record_is_listed_beside_the_others(root):
    (root / "runs" / "20260303-1.json").touch()
    message = cxr("runs", "--root", root)
    assert [line.split()[:2] for line in message.splitlines()[1:4]] == [
        ["20260301-1", "finished"],
        ["20260302-1", "killed"],
        ["20260303-1", "damaged"],
    ]
    assert f"{root}/runs/20260303-1.json is not a record of a run" in message
    assert "is not a record of a run" in cxr("runs", "last", "--root", root)
    assert json.loads(cxr("runs", "last", "--json", "--root", root))["state"] == "damaged"


def test_what_to_type_is_quoted_for_a_shell(tmp_path):
    message = cxr("runs", "--root", tmp_path / "a b; rm *", code=1)
    assert f"cxr run --root '{tmp_path}/a b; rm *'" in message


def test_runs_compares_two(root):
    message = cxr("runs", "20260301", "last", "--root", root)
    assert message.splitlines()[0].split() == ["run", "20260301-1", "20260302-1"]
    assert cells(message, "state") == ["state", "finished", "killed"]
    compared = json.loads(cxr("runs", "20260301", "last", "--json", "--root", root))
    assert compared["runs"] == ["20260301-1", "20260302-1"]
    assert {"name": "AUC", "first": "0.9877", "second": ""} in compared["figures"]


def test_runs_compares_no_three(root):
    assert "at most two runs" in cxr("runs", "a", "b", "c", "--root", root, code=2)


def test_runs_to_compare_must_be_there(root):
    assert "Did you mean 20260302-1?" in cxr("runs", "last", "20260302-12", "--root", root, code=1)


def test_runs_lists_as_json(root):
    listed = json.loads(cxr("runs", "--json", "--root", root))
    assert [(each["id"], each["state"]) for each in listed] == [
        ("20260301-1", "finished"),
        ("20260302-1", "killed"),
    ]


def test_a_run_that_holds_the_root_is_reported_as_running(root, monkeypatch):
    monkeypatch.setattr("pipeline.root.root_lock.holder_pid", lambda path: -1)
    assert json.loads(cxr("runs", "last", "--json", "--root", root))["state"] == "running"


def test_runs_shows_one_with_its_lineage(root):
    assert "lineage" in cxr("runs", "20260301-1", "--root", root)


def test_runs_shows_one_as_json(root):
    shown = run_record.RunRecord.model_validate_json(
        cxr("runs", "20260301-1", "--json", "--root", root)
    )
    assert shown == records.run("20260301-1")


def test_a_run_that_is_not_there_is_reported(root):
    assert "Did you mean 20260301-1?" in cxr("runs", "20260301-12", "--root", root, code=1)


def test_a_root_without_runs_is_reported_with_the_next_command(tmp_path):
    message = cxr("runs", "--root", tmp_path, code=1)
    assert (
        message
        == f"Error: No run has begun under {tmp_path}. Start one: cxr run --root {tmp_path}\n"
    )


PREDICTIONS = [
    FilePrediction("a.png", 0.75, "PNEUMONIA", True, "", False, 2.5, "REVIEW"),
    FilePrediction("b.png", None, "INVALID", False, "text file"),
]


@pytest.fixture
def predict(called):
    return called("serving.predict.files.predict", PREDICTIONS)


def test_predict_hands_model_and_paths_on(predict):
    assert "1 of 2 files is not a readable image." in cxr("predict", "model", "a.png", "folder")
    assert predict.arguments == ("model", ["a.png", "folder"])


def test_predict_prints_json(predict):
    assert json.loads(cxr("predict", "model", "x", "--json")) == [
        {
            "path": "a.png",
            "probability": 0.75,
            "label": "PNEUMONIA",
            "valid": True,
            "reason": "",
            "in_domain": False,
            "domain_distance": 2.5,
            "triage": "REVIEW",
        },
        {
            "path": "b.png",
            "probability": None,
            "label": "INVALID",
            "valid": False,
            "reason": "text file",
            "in_domain": None,
            "domain_distance": None,
            "triage": None,
        },
    ]


def test_predict_prints_csv(predict):
    assert cxr("predict", "model", "x", "--csv").splitlines() == [
        "path,probability,label,valid,reason,in_domain,domain_distance,triage",
        "a.png,0.75,PNEUMONIA,True,,False,2.5,REVIEW",
        "b.png,,INVALID,False,text file,,,",
    ]


@pytest.mark.parametrize("form", [(), ("--json",), ("--csv",)])
def test_predict_ends_with_its_own_code_where_no_file_can_be_used(monkeypatch, form):
    monkeypatch.setattr("serving.predict.files.predict", lambda *_, **__: PREDICTIONS[1:])
    assert "text file" in cxr("predict", "model", "x", *form, code=4)


def test_predict_ends_with_its_own_code_where_a_table_holds_nothing_valid(monkeypatch):
    monkeypatch.setattr(
        "serving.predict.many.job.predict_many", lambda *_, **__: Summary(2, 0, 2, 0, ())
    )
    assert "Predictions: o.csv" in cxr("predict", "model", "x", "--out", "o.csv", code=4)


@pytest.fixture
def predict_with_reports(called):
    predictions = [
        ReportedPrediction("a.dcm", 0.75, "PNEUMONIA", True, report="r/a.sr.dcm", heat_map="h.dcm"),
        ReportedPrediction("b.png", None, "INVALID", False, "text file", no_report="not DICOM"),
    ]
    return called("serving.predict.structured_report.job.predict_with_reports", predictions)


def test_predict_hands_the_folder_of_the_reports_on(predict, predict_with_reports):
    message = cxr("predict", "model", "a.dcm", "b.png", "--dicom-sr", "r")
    assert predict_with_reports.arguments == ("model", ["a.dcm", "b.png"], Path("r"))
    assert predict.arguments == ()
    *_, bad, written, without = message.splitlines()
    assert bad == "1 of 2 files is not a readable image."
    assert written.startswith("1 structured report with as many heat maps: r. They hold")
    assert without == "No report of 1 file, such as b.png: not DICOM."


def test_predict_prints_where_the_reports_are_as_json(predict_with_reports):
    first, second = json.loads(cxr("predict", "model", "x", "--dicom-sr", "r", "--json"))
    assert (first["report"], first["heat_map"]) == ("r/a.sr.dcm", "h.dcm")
    assert (second["report"], second["no_report"]) == ("", "not DICOM")


def test_predict_prints_csv_without_the_lines_about_reports(predict_with_reports, capfd):
    result = CliRunner().invoke(main, ["predict", "model", "x", "--dicom-sr", "r", "--csv"])
    assert result.stdout.splitlines() == [
        "path,probability,label,valid,reason,in_domain,domain_distance,triage",
        "a.dcm,0.75,PNEUMONIA,True,,,,",
        "b.png,,INVALID,False,text file,,,",
    ]
    assert "1 structured report" in result.stderr


def test_predict_ends_with_its_own_code_where_no_report_can_be_written(monkeypatch):
    monkeypatch.setattr(
        "serving.predict.structured_report.job.predict_with_reports",
        lambda *_, **__: [ReportedPrediction("b", None, "INVALID", False, "text file")],
    )
    assert "text file" in cxr("predict", "model", "x", "--dicom-sr", "r", code=4)


def test_predict_without_reports_does_not_import_what_writes_them():
    code = (
        "import sys; from pipeline.cli.main import main; import serving.predict.files as files; "
        "files.predict = lambda *_, **__: [files.FilePrediction('a', 0.5, 'NORMAL', True)]; "
        "main(['predict', 'model', 'a'], standalone_mode=False); "
        "print('highdicom' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "False"


@pytest.fixture
def predict_many(called):
    summary = Summary(5, 4, 1, 2, ("x.gz is damaged.",), 3, 4)
    return called("serving.predict.many.job.predict_many", summary)


def test_predict_hands_all_on_where_a_file_is_to_be_written(predict, predict_many):
    given = ("a.png", "folder/**/*.png", "x.tfrecord.gz")
    message = cxr(
        "predict", "model", *given, "--out", "o.csv", "--beam-arg=--a=1", "--beam-arg=--b=2"
    )
    assert predict_many.arguments == (Path("model"), list(given), Path("o.csv"))
    assert predict_many.options["beam_args"] == ["--a=1", "--b=2"]
    assert "Predictions: o.csv" in message
    assert "x.gz is damaged." in message
    assert predict.arguments == ()


def test_predict_hands_its_cluster_on_before_beams_own_options(predict_many):
    cxr("predict", "model", "x", "--out", "o.csv", "--flink", "host:8081", "--beam-arg=--b=2")
    assert predict_many.options["beam_args"] == [*flink_args("host:8081"), "--b=2"]


def test_predict_prints_the_summary_of_a_file_as_json(predict_many):
    assert json.loads(cxr("predict", "model", "x", "--out", "o.csv", "--json")) == {
        "images": 5,
        "valid": 4,
        "invalid": 1,
        "resumed": 2,
        "damaged": ["x.gz is damaged."],
        "out_of_domain": 3,
        "review": 4,
        "out": "o.csv",
    }


def test_predict_shows_progress_where_a_file_is_written(monkeypatch, capfd):
    def predict(model, paths, out, *, labels, beam_args, progress):
        assert labels == "t.csv"
        progress(3, 5)
        return Summary(5, 5, 0, 0, ())

    monkeypatch.setattr("serving.predict.many.job.predict_many", predict)
    monkeypatch.setattr("pipeline.cli.output.display._SECONDS_BETWEEN_LINES", -1)
    cxr("predict", "model", "x", "--out", "o.csv", "--labels", "t.csv")
    assert "Predict images: 3 of 5" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--json", "--csv"), "Choose one of --json and --csv."),
        (("--out", "o.csv", "--csv"), "Choose one of --out, which writes a file, and --csv"),
        (("--beam-arg=--a=1",), "--beam-arg needs --out"),
        (("--flink", "local"), "--flink needs --out"),
        (("--labels", "t.csv"), "--labels needs --out"),
        (("--out", "o.csv", "--dicom-sr", "r"), "Choose one of --dicom-sr and --out."),
        (("--url", "http://localhost", "--dicom-sr", "r"), "Choose one of --dicom-sr and --url."),
    ],
)
def test_predict_refuses_options_that_exclude_each_other(predict, predict_many, options, message):
    assert message in cxr("predict", "model", "x", *options, code=2)
    assert predict.arguments == predict_many.arguments == ()


def test_predict_needs_something_to_predict():
    assert "Give MODEL and IMAGES, or --url and IMAGES." in cxr("predict", "model", code=2)


def test_predict_by_url_needs_no_model(monkeypatch, tmp_path):
    passed = {}
    (tmp_path / "xray.png").write_bytes(b"\x89PNG\r\n\x1a\n")

    class Client:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def predict_in_parts(self, images):
            raise UserError("http://x, model m: status 503: full")

    def connect(url, **options):
        passed.update(url=url, **options)
        return Client()

    monkeypatch.setattr("serving.client.connect", connect)
    arguments = ("--url", "http://x", "--model-name", "m", str(tmp_path / "xray.png"))
    message = cxr("predict", *arguments, code=1)
    assert (passed["url"], passed["model"]) == ("http://x", "m")
    assert "http://x, model m: status 503: full" in message


def test_predict_by_url_writes_no_file():
    assert "Choose one of --url and --out" in cxr(
        "predict", "--url", "http://x", "a.png", "--out", "a.csv", code=2
    )
