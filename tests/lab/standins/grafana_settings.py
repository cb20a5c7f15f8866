"""Grafana's settings from its ini file, its environment and its command line, of which unknown ones are refused."""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

KNOWN = {
    "DEFAULT": "app_mode instance_name force_migration",
    "paths": "data temp_data_lifetime logs plugins provisioning config home",
    "server": "protocol min_tls_version http_addr http_port domain enforce_domain root_url serve_from_sub_path "
    "router_logging enable_gzip cert_file cert_key cert_pass certs_watch_interval socket socket_mode read_timeout "
    "static_root_path cdn_url",
    "database": "type host name user password path wal cache_mode max_open_conn max_idle_conn log_queries url ssl_mode "
    "high_availability locking_attempt_timeout_sec query_retries transaction_retries",
    "security": "disable_initial_admin_creation admin_user admin_password admin_email secret_key disable_gravatar "
    "data_source_proxy_whitelist disable_brute_force_login_protection cookie_secure cookie_samesite allow_embedding "
    "strict_transport_security content_security_policy content_security_policy_template x_content_type_options "
    "x_xss_protection csrf_trusted_origins csrf_always_check encryption_provider login_attempts",
    "users": "allow_sign_up allow_org_create auto_assign_org auto_assign_org_id auto_assign_org_role "
    "verify_email_enabled login_hint password_hint default_theme default_language home_page external_manage_link_url "
    "viewers_can_edit editors_can_admin user_invite_max_lifetime_duration hidden_users",
    "auth": "login_cookie_name disable_login login_maximum_inactive_lifetime_duration login_maximum_lifetime_duration "
    "token_rotation_interval_minutes disable_login_form disable_signout_menu signout_redirect_url oauth_auto_login "
    "api_key_max_seconds_to_live sigv4_auth_enabled managed_service_accounts_enabled",
    "auth.anonymous": "enabled org_name org_role hide_version device_limit customize_id",
    "auth.basic": "enabled password_policy",
    "auth.proxy": "enabled header_name header_property auto_sign_up sync_ttl whitelist headers enable_login_token",
    "analytics": "enabled reporting_enabled reporting_distributor check_for_updates check_for_plugin_updates "
    "feedback_links_enabled",
    "log": "mode level filters user_facing_default_error",
    "log.console": "level format",
    "plugins": "enable_alpha app_tls_skip_verify_insecure allow_loading_unsigned_plugins plugin_admin_enabled "
    "plugin_admin_external_manage_enabled plugin_catalog_url preinstall preinstall_async preinstall_disabled "
    "preinstall_sync public_key_retrieval_disabled disable_plugins forward_host_env_vars",
    "unified_alerting": "enabled disabled_orgs admin_config_poll_interval evaluation_timeout min_interval "
    "execute_alerts max_attempts",
    "dashboards": "versions_to_keep min_refresh_interval default_home_dashboard_path default_manual_time_range",
    "snapshots": "enabled external_enabled external_snapshot_url external_snapshot_name",
    "metrics": "enabled interval_seconds basic_auth_username basic_auth_password disable_total_stats",
    "news": "news_feed_enabled",
    "explore": "enabled",
    "help": "enabled",
    "profile": "enabled",
    "live": "max_connections allowed_origins",
    "feature_toggles": "enable",
    "date_formats": "full_date use_browser_locale default_timezone default_week_start interval_second",
    "panels": "enable_alpha disable_sanitize_html",
    "install": "plugins",
}
"""Sections and keys; a real one that is not here must be added before gpumon may write it."""
DEFAULTS = {
    "server.http_addr": "",
    "server.http_port": "3000",
    "server.protocol": "http",
    "database.type": "sqlite3",
    "security.admin_user": "admin",
    "security.admin_password": "admin",
    "auth.anonymous.enabled": "false",
    "auth.anonymous.org_role": "Viewer",
    "auth.basic.enabled": "true",
    "paths.data": "/var/lib/grafana",
    "paths.provisioning": "/etc/grafana/provisioning",
}


class Refused(Exception):
    """Something that Grafana would not take, or would silently ignore; the message says what and where."""


def read(file: Path, environment: Mapping[str, str], overrides: Sequence[str]) -> dict[str, str]:
    """Every setting as section.key; `overrides` are words such as cfg:server.http_port=3001.

    Raises:
        Refused: one is unknown, given twice, or in a file that cannot be read.
    """
    settings = dict(DEFAULTS)
    settings |= _from_file(file)
    settings |= _from_environment(environment)
    for word in overrides:
        name, has_value, value = word.partition("=")
        if not name.startswith("cfg:") or not has_value:
            raise Refused(f"flag provided but not defined: {word}")
        settings[_known(name.removeprefix("cfg:").removeprefix("default."), word)] = value
    return {name: _expanded(name, value) for name, value in settings.items()}


def _expanded(name: str, value: str) -> str:
    """A value with the contents of the files that it names as $__file{PATH}."""
    return re.sub(r"\$__file\{([^}]+)\}", lambda found: _secret(name, Path(found[1])).strip(), value)


def _known(name: str, origin: str) -> str:
    section, _, key = name.rpartition(".")
    if key not in KNOWN.get(section or "DEFAULT", "").split():
        raise Refused(f"{origin}: Grafana has no setting {key!r} in section {section!r}, as far as the stand-in knows")
    return name


def _from_file(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    parsed = configparser.ConfigParser(interpolation=None)
    try:
        parsed.read_string(path.read_text())
    except (OSError, UnicodeDecodeError, configparser.Error) as failed:
        raise Refused(f"{path} cannot be read: {failed}") from failed
    return {
        _known(f"{section}.{key}", str(path)): value
        for section in parsed.sections()
        for key, value in parsed[section].items()
    }


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    settings: dict[str, str] = {}
    variables = {f"GF_{re.sub(r'[.-]', '_', f'{s}_{k}').upper()}": f"{s}.{k}" for s in KNOWN for k in KNOWN[s].split()}
    for variable, value in environment.items():
        name = variable.removesuffix("__FILE")
        if not name.startswith("GF_"):
            continue
        if name not in variables:
            raise Refused(f"{variable}: Grafana has no such setting, as far as the stand-in knows")
        if variable != name:
            if name in environment:
                raise Refused(f"ERROR: Both {name} and {variable} are set (but are exclusive)")
            value = _secret(variable, Path(value))
        settings[variables[name]] = value
    return settings


def _secret(variable: str, path: Path) -> str:
    try:
        return path.read_text().rstrip("\n")
    except OSError as failed:
        raise Refused(f"{variable}: uid {os.getuid()} cannot read {path}: {failed.strerror}") from failed
