import click
from click.testing import CliRunner

from pipeline.cli.choice_argument import Choice


@click.command()
@click.option("--target", type=Choice(["kubeflow", "vertex"]))
def command(target):
    click.echo(target)


def invoked(target):
    return CliRunner().invoke(command, ["--target", target])


def test_a_choice_is_taken():
    assert invoked("vertex").output == "vertex\n"


def test_a_wrong_choice_is_refused_with_the_nearest_one():
    result = invoked("vertx")
    assert result.exit_code == 2
    assert "'vertx' is not one of 'kubeflow', 'vertex'. Did you mean vertex?" in result.output


def test_a_choice_like_no_other_is_refused_with_all():
    assert invoked("x").output.rstrip().endswith("'x' is not one of 'kubeflow', 'vertex'.")
