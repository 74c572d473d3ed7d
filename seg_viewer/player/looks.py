"""What of a player has to do with models: which ones look at the frames, and what is looked for in their answers."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from seg_viewer.core.model_file import ModelSpec
from seg_viewer.jobs.options import RunOptions
from seg_viewer.pipeline.map_cache import MapCache
from seg_viewer.player.models import ModelWish
from seg_viewer.player.playback import Playback
from seg_viewer.player.search import Search
from seg_viewer.player.session import Session
from seg_viewer.player.what_plays import WhatPlays


class Looks(WhatPlays):
    """A part of `Player`.

    Args:
        options: model, engine and style of a run.
    """

    def __init__(self, options: RunOptions) -> None:
        super().__init__(MapCache(off=not options.cache))
        self.options = options
        self._against: str | None = None
        self._playback = Playback()
        self._problems: deque[str] = deque()
        self._looks_ahead = self._wants_margin = False

    def open_again(self, session: Session) -> None:
        """A source whose session has ended with an error."""
        raise NotImplementedError

    def use_model(self, model: str) -> None:
        """Go on with another model, playing or paused as before: what is shown stays until the first shot of it.

        Where it cannot run, the model before goes on, and `take_problem` says why. Scores that went to a table end with
        the model before.

        Args:
            model: name of a shipped model, or path of an .onnx file.
        """
        self._use(self.options.with_model(model), self.against)

    def decode_by(self, hwaccel: str) -> None:
        """Who decodes sources that are opened from now on, see `RunOptions.hwaccel`."""
        self.options = replace(self.options, hwaccel=hwaccel)

    def use_pair(self, model: str | None) -> None:
        """Have a second model look at each frame too, at the same place; what is painted stays the first one's.

        Where it cannot run, the first one goes on alone, or with the second one before, and `take_problem` says why.

        Args:
            model: name of a shipped model, or path of an .onnx file; None for no second model.
        """
        if model != self.against:
            self._use(replace(self.options), model)

    def _use(self, options: RunOptions, against: str | None) -> None:
        self.options, self._against = options, against
        session = self._session
        if session is None:
            return
        if session.error is not None:
            session.wish = ModelWish(options, against)
            self.open_again(session)
            return

        def failed(text: str) -> None:
            hwaccel, steady = self.options.hwaccel, self.options.steady
            if self.options == replace(options, hwaccel=hwaccel, steady=steady):  # nothing else was chosen meanwhile
                self.options = replace(session.wish.options, hwaccel=hwaccel, steady=steady)
                self._against = session.wish.against
            self._problems.append(text)
            self._playback.on_change()

        session.use_models(ModelWish(options, against), failed)
        if self._opening is not None:
            self._opening.use_models(ModelWish(options, against), lambda _text: None)

    @property
    def looks_ahead(self) -> bool:
        """Whether the rest of a video is looked at while it plays; off at first."""
        return self._looks_ahead

    @looks_ahead.setter
    def looks_ahead(self, value: bool) -> None:
        self._looks_ahead = value
        if self._session is not None:
            self._session.timelines.look_ahead(value)

    @property
    def wants_margin(self) -> bool:
        """Whether class maps are to say how sure the model is; those that were kept do not, and are computed again."""
        return self._wants_margin

    @wants_margin.setter
    def wants_margin(self, value: bool) -> None:
        self._wants_margin = value
        for session in (self._session, self._opening):
            if session is not None:
                session.models.want_margin(value)

    @property
    def steady(self) -> bool:
        """Whether class maps stay calm where the picture stands still."""
        return bool(self.options.steady)

    @steady.setter
    def steady(self, value: bool) -> None:
        self.options = replace(self.options, steady=value)
        for session in (self._session, self._opening):
            if session is not None:
                session.models.want_steady(value)

    @property
    def against(self) -> str | None:
        """Name or file of the second model that is wanted; None for none."""
        return self._session.wish.against if self._session else self._against

    @property
    def against_spec(self) -> ModelSpec | None:
        """Of the second model whose class map is in the window too; None without one."""
        return self._session.against_spec if self._session else None

    def find(self, search: Search) -> None:
        """Pause, and go on to the next shot that is looked for; whatever else moves the video ends the search."""
        self.stop_finding()
        session = self._session
        if session is None or session.error is not None:
            return
        pipeline = session.pipeline
        if pipeline is not None and session.taken_shot is not None:
            session.search = search
            # what was found last may still be on its way into the window; the next one lies behind it
            search.begin(pipeline, pipeline.last_shot or session.taken_shot)

    @property
    def search(self) -> Search | None:
        """The last one that was begun; see `Search.outcome`."""
        return self._session.search if self._session else None

    def stop_finding(self) -> None:
        """Stay where the search has come to."""
        if self.search is not None:
            self.search.stop()
