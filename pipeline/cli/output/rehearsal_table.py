"""Output of a rehearsal."""

from pipeline.cli.output.cells import command, new_table, print_table, short_path, standard_output
from pipeline.cli.output.run_tables import print_evaluation
from pipeline.cluster.rehearsal.rehearse import Outcome


def print_rehearsal(outcome: Outcome, seconds: float) -> None:
    """Prints the tasks with their times, the metrics, and where the model is."""
    console = standard_output()
    table = new_table("task", "seconds", right=(1,))
    for done in outcome.done:
        table.add_row(done.task, f"{done.seconds:.1f}")
    table.add_row("in all", f"{seconds:.1f}", style="bold")
    console.print()
    print_table(console, table)
    if outcome.evaluation:
        print_evaluation(console, outcome.evaluation)
    if outcome.version:
        console.print(f"\n[green]Pushed, loaded and queried:[/] {short_path(outcome.version)}")
        console.print(f"{command()} serve {short_path(outcome.version.parent)}")
