"""Keys go on working when the window is built anew in another language."""

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtGui import QShortcut

from ctower_desktop.gui import tasks
from ctower_desktop.gui.appearance import Appearance


def test_no_key_means_two_things_after_the_language_changed(on_window):
    async def body(window, tower):
        await tasks.settle()
        before = _keys(window)
        assert "Ctrl+2" in before
        await tower.settings.change(Appearance, {"language": "ru", "text_scale": 120})
        await tasks.settle()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        assert _keys(window) == before
        assert window.commands.all()

    on_window(body, projects=("Кофейня",))


def _keys(window):
    """The keys of the whole window, each as often as something listens to it."""
    return sorted(s.key().toString() for s in window.findChildren(QShortcut) if s.parent() is window)
