"""A gateway at a desk, and what its technician types, for tests."""

from aerocast_agent.cli import main


def called(capsys, *arguments):
    code = main([*map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out, err


def write_config(folder, port):
    file = folder / "agent.toml"
    file.write_text(
        '[gateway]\nsite = "lfbo"\nname = "hall-1"\n[hub]\nbroker = "mqtt://127.0.0.1:9"\n'
        '[spool]\npath = "spool.db"\nbudget_mb = 16\n'
        f'[[device]]\nname = "desk"\nkind = "serial_scanner"\nport = "{port}"\n'
        '[[device]]\nname = "gps"\nkind = "gps_serial"\nport = "/dev/ttyACM99"\n'
    )
    return file
