"""Charts as SVG: functions of plain numbers."""
