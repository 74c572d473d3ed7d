; Inno Setup: the installer for Windows, of what `make app` has built there.
;   iscc /DVersion=0.1.0 assets\packaging\windows.iss   → dist\seg-viewer-setup.exe
; Written for Inno Setup 6; it has not been run yet. For the user alone, no administrator is needed.
#ifndef Version
  #define Version "0.0.0"
#endif
#define Keys "Software\Classes\Applications\seg-viewer.exe"

[Setup]
AppId=io.github.seg_viewer
AppName=seg-viewer
AppVersion={#Version}
AppPublisher=seg_viewer
DefaultDirName={autopf}\seg-viewer
PrivilegesRequired=lowest
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
ChangesAssociations=yes
LicenseFile=..\..\LICENSE
OutputDir=..\..\dist
OutputBaseFilename=seg-viewer-setup
UninstallDisplayIcon={app}\seg-viewer.exe

[Files]
Source: "..\..\dist\seg-viewer\*"; DestDir: "{app}"; Flags: recursesubdirs ignoreversion

[Icons]
Name: "{autoprograms}\seg-viewer"; Filename: "{app}\seg-viewer.exe"

; "Open with": no file changes the program that opens it
[Registry]
Root: HKA; Subkey: "{#Keys}"; Flags: uninsdeletekey
Root: HKA; Subkey: "{#Keys}"; ValueType: string; ValueName: "FriendlyAppName"; ValueData: "seg-viewer"
Root: HKA; Subkey: "{#Keys}\shell\open\command"; ValueType: string; ValueData: """{app}\seg-viewer.exe"" ""%1"""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".mp4"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".m4v"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".f4v"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".mkv"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".webm"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".mov"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".avi"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".mpg"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".mpeg"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".vob"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".ts"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".m2ts"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".mts"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".flv"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".wmv"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".asf"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".3gp"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".3g2"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".ogv"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".ogm"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".dv"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".rm"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".rmvb"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".mxf"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".mjpeg"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".mjpg"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".gif"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".webp"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".m3u"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".m3u8"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".apng"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".h264"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".264"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".h265"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".265"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".hevc"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".dav"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".ivf"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".m2v"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".nut"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".obu"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".wtv"; ValueData: ""
Root: HKA; Subkey: "{#Keys}\SupportedTypes"; ValueType: string; ValueName: ".y4m"; ValueData: ""
