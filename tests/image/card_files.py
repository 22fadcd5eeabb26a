"""What people write on the card; the cloud-init files are as Raspberry Pi Imager writes them."""

GOOD = '[node]\nname = "kitchen"\n'
ROOM = (
    '[node]\nname = "kitchen"\narea = "kitchen"\n[[area]]\nid = "kitchen"\n'
    '[[device]]\nid = "lamp"\nkind = "light"\ndriver = "gpio.relay"\npin = 17\narea = "kitchen"\n'
)
BROKER = '[mqtt]\nbroker = "hub.lan"\nuser = "box"\npassword = "Tr0ub4dor&3"  # of the hub\n'
WIFI = '[wifi]\nssid = "Casa Ñ"\npsk = "correct horse battery"\ncountry = "es"\n'
IMAGER_NETWORK = """\
network:
  version: 2
  wifis:
    wlan0:
      dhcp4: true
      regulatory-domain: "DE"
      access-points:
        "wobilix":
          password: "49909842786a5568b0c916d000694d7081e999fac46d35340a07d70f2d3f2fb6"
      optional: true
"""
IMAGER_USER = """\
#cloud-config
hostname: raspi
manage_etc_hosts: true
packages:
- avahi-daemon
apt:
  conf: |
    Acquire {
      Check-Date "false";
    };
timezone: Europe/Berlin
keyboard:
  model: pc105
  layout: "de"
enable_ssh: true
users:
- name: woke
  groups: users,adm
  shell: /bin/bash
  lock_passwd: false
  passwd: $y$jB5$LhIRg7LAJxIJEtIMnlYJg/$otYjJN.9xxxxKSIBayVjFGcl62ink.YF240KSu38zAA
  ssh_authorized_keys:
  - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEIP0du7ZPjP2e9c1uB7ajnjLEYY4iJNCvEv5XQhKxD7 phone
ssh_pwauth: true
rpi:
  interfaces:
    serial: true
"""
