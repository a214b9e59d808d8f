import logging
import warnings

from pydicom import Dataset

from serving.predict.structured_report.unquoted import unquoted


def test_values_are_not_quoted_and_all_is_as_before_afterwards(caplog, recwarn):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("highdicom").setLevel(logging.INFO)
    with unquoted():
        Dataset().PatientBirthDate = "Jane Doe"
        logging.getLogger("pydicom").warning("Jane Doe")
        logging.getLogger("highdicom.base").warning("Jane Doe")
        warnings.warn("Jane Doe", stacklevel=1)
    assert not caplog.records
    assert not recwarn.list
    assert logging.getLogger("highdicom").level == logging.INFO
    warnings.warn("afterwards", stacklevel=1)
    assert [str(each.message) for each in recwarn.list] == ["afterwards"]
    logging.getLogger("highdicom").setLevel(logging.NOTSET)
