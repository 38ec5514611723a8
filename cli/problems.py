"""What can stop a command, each with what to do about it, in English and Chinese."""

from __future__ import annotations

from shared.errors import OcrFleetError


class CommandError(OcrFleetError):
    """Raised when a command cannot do what it was asked for; `exit_code` is the program's."""

    slug, status, title = "command", 500, "The command failed"
    english = "{reason}"
    chinese = "{reason}"
    exit_code = 1


class AlreadyRunning(CommandError):
    """Raised when another `ocrfleet up` holds the data folder."""

    slug = "already-running"
    english = (
        "ocrfleet is already running on the data folder {data}{where}. Stop that one first (Ctrl-C there, or `kill {pid}`), "
        "or give this one a folder of its own with OCRFLEET_DATA."
    )
    chinese = (
        "数据目录 {data} 已有一个 ocrfleet 在运行{where}。请先停止它（在其终端按 Ctrl-C，或 `kill {pid}`），"
        "或用 OCRFLEET_DATA 指定另一个目录。"
    )


class DataFolderRefused(CommandError):
    """Raised when the data folder cannot be made or written."""

    slug = "data-folder"
    english = "The data folder {data} cannot be used ({reason}): make it writable, or name another with OCRFLEET_DATA."
    chinese = "无法使用数据目录 {data}（{reason}）：请修改其权限，或用 OCRFLEET_DATA 指定另一个目录。"


class PortTaken(CommandError):
    """Raised when a port that must be free is not."""

    slug = "port-taken"
    english = (
        "Port {port} on {host} is taken by another program: stop that one, or choose another port with {variable}=..."
    )
    chinese = "{host} 的端口 {port} 已被占用：请停止占用它的程序，或用 {variable}=... 指定其他端口。"


class AddressRefused(CommandError):
    """Raised when the gateway's address is not one of this machine."""

    slug = "address-refused"
    english = "The address {host}:{port} cannot be listened on ({reason}): set {variable} to another one."
    chinese = "无法监听地址 {host}:{port}（{reason}）：请修改 {variable}。"


class NoServerBinary(CommandError):
    """Raised when no Valkey server fits this machine."""

    slug = "no-valkey"
    english = (
        "There is no Valkey server for this machine ({machine}). Install one (`apt-get install valkey` or `redis-server`), "
        "or point REDIS_URL at a running Redis or Valkey."
    )
    chinese = "没有适用于本机（{machine}）的 Valkey。请安装 valkey 或 redis-server，或用 REDIS_URL 指向正在运行的 Redis/Valkey。"


class RedisAway(CommandError):
    """Raised when the Redis that REDIS_URL names does not answer."""

    slug = "redis-away"
    english = "The Redis at {url} does not answer ({reason}): start it, or unset REDIS_URL to have one started here."
    chinese = "{url} 上的 Redis 没有响应（{reason}）：请启动它，或取消 REDIS_URL 以便自动启动一个。"


class ServiceDied(CommandError):
    """Raised when a process of the fleet ends again and again before it is ready."""

    slug = "service-died"
    english = (
        "{name} ended before it was ready ({how}; tried {times} x). The end of its log is above, the rest in {log}."
    )
    chinese = "{name} 在就绪之前退出（{how}；已尝试 {times} 次）。日志末尾见上，完整日志：{log}。"


class QueueDamaged(CommandError):
    """Raised when the queue's file is damaged in its middle, which no program can mend without losing work."""

    slug = "queue-damaged"
    english = (
        "The queue's file in {folder} is damaged (a failing disk?). Restore it from a backup; or move that folder away "
        "to start with an empty queue: what was accepted and not yet fetched is then lost, and must be sent again."
    )
    chinese = "{folder} 中的队列文件已损坏（磁盘可能有故障）。请从备份恢复；或将该目录移走后以空队列启动：未取走的任务将丢失，需重新提交。"


class NotReady(CommandError):
    """Raised when the fleet has not become ready in the time it may take."""

    slug = "not-ready"
    english = "The fleet was not ready after {seconds} s: {reason}. Look into {logs}."
    chinese = "{seconds} 秒后服务仍未就绪：{reason}。请查看 {logs}。"


class ServerAway(CommandError):
    """Raised when no ocrfleet answers at the server's address."""

    slug = "server-away"
    exit_code = 3
    english = "No ocrfleet answers at {server} ({reason}): start one with `ocrfleet up`, or name another with --server."
    chinese = "{server} 没有响应（{reason}）：请用 `ocrfleet up` 启动，或用 --server 指定其他地址。"


class FileRefused(CommandError):
    """Raised when a file that was named cannot be read from or written to."""

    slug = "file"
    exit_code = 2
    english = "{path}: {reason}"
    chinese = "{path}：{reason}"
