from seg_viewer.api import EngineError as EngineError
from seg_viewer.api import ExportError as ExportError
from seg_viewer.api import ExportProgress as ExportProgress
from seg_viewer.api import ExportResult as ExportResult
from seg_viewer.api import ModelFileError as ModelFileError
from seg_viewer.api import ModelSpec as ModelSpec
from seg_viewer.api import SegViewerError as SegViewerError
from seg_viewer.api import Shot as Shot
from seg_viewer.api import Shots as Shots
from seg_viewer.api import SourceError as SourceError
from seg_viewer.api import UsageError as UsageError
from seg_viewer.api import export as export
from seg_viewer.api import models as models
from seg_viewer.api import open as open
from seg_viewer.api import read_model as read_model

__version__: str
