"""The language of a text, and the note where the local engine reads it less well."""

import pytest

from tellback.engines.local import LocalEngine
from tellback.engines.local.languages import detect_language
from tellback.sdk.engine import Item


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The export fails when I have more than a thousand rows.", "en"),
        ("Der Export bricht ab, wenn ich mehr als tausend Zeilen habe.", "de"),
        ("L'export échoue quand j'ai plus de mille lignes dans le tableau.", "fr"),
        ("La exportación falla cuando tengo más de mil filas en la tabla.", "es"),
        ("A exportação falha quando tenho mais de mil linhas na tabela, não sei porque.", "pt"),
        ("L'esportazione non funziona quando ho più di mille righe nella tabella.", "it"),
        ("De export werkt niet als ik meer dan duizend regels heb.", "nl"),
        ("Eksport nie działa, gdy mam więcej niż tysiąc wierszy i to jest problem.", "pl"),
        ("Exporten fungerar inte när jag har mer än tusen rader.", "sv"),
        ("Экспорт не работает, если в таблице больше тысячи строк, это было бы быстрым исправлением.", "ru"),
        ("Експорт не працює, якщо в таблиці більше тисячі рядків.", "uk"),
        ("エクスポートが失敗します。直してください。", "ja"),
        ("导出失败了,请尽快修复。", "zh"),
        ("내보내기가 실패합니다.", "ko"),
        ("التصدير لا يعمل عندي", "ar"),
    ],
)
def test_a_sentence_is_enough_to_tell_the_language(text: str, code: str) -> None:
    assert detect_language(text) == code


@pytest.mark.parametrize("text", ["", "👍", "OK", "Excel, PDF, Slack", "4.2.1"])
def test_too_little_text_is_in_no_language(text: str) -> None:
    assert detect_language(text) is None


def test_signals_of_another_language_say_that_they_may_be_off(engine: LocalEngine) -> None:
    german, english, tagged = engine.extract(
        [
            Item(text="Der Export bricht ab, wenn ich mehr als tausend Zeilen habe."),
            Item(text="The export fails with more than a thousand rows.", language="en"),
            Item(text="Export kaputt", language="de-AT"),
        ]
    )
    assert "German" in german[0].note
    assert english[0].note == ""
    assert "German" in tagged[0].note


def test_a_wrong_tag_is_not_believed_against_the_text(engine: LocalEngine) -> None:
    (signals,) = engine.extract([Item(text="The export fails when I have more than a thousand rows.", language="fr")])
    assert signals[0].note == ""
