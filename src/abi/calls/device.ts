import { Right } from '../rights.js';
import { type Call, consumes, creates, inCategory, uses } from './call.js';

export const DEVICE_CALLS: readonly Call[] = [
  ...inCategory('bti', [
    {
      name: 'zx_bti_create',
      tier: 'ddk',
      args: [
        ['zx_handle_t iommu', { handle: uses('iommu') }],
        'uint32_t options',
        'uint64_t bti_id',
        ['zx_handle_t* out', { handle: creates('bti') }],
      ],
      errors: [['ERR_INVALID_ARGS', 'options nonzero or bad out']],
    },
    {
      name: 'zx_bti_pin',
      tier: 'ddk',
      args: [
        ['zx_handle_t handle', { handle: uses('bti', Right.MAP) }],
        'uint32_t options',
        [
          'zx_handle_t vmo',
          { handle: uses('vmo', Right.MAP, 'READ and WRITE as the permissions asked for') },
        ],
        'uint64_t offset',
        'uint64_t size',
        ['zx_paddr_t* addrs', { length: 'num_addrs' }],
        'size_t num_addrs',
        ['zx_handle_t* pmt', { handle: creates('pmt') }],
      ],
      errors: [
        ['ERR_INVALID_ARGS', 'unaligned range or wrong num_addrs'],
        ['ERR_OUT_OF_RANGE', 'range past vmo'],
        ['ERR_UNAVAILABLE', 'pages cannot be pinned'],
      ],
    },
    {
      name: 'zx_bti_release_quarantine',
      tier: 'ddk',
      args: [['zx_handle_t handle', { handle: uses('bti', Right.WRITE) }]],
    },
  ]),
  ...inCategory('ddkmisc', [
    {
      name: 'zx_iommu_create',
      tier: 'ddk',
      args: [
        ['zx_handle_t resource', { handle: uses('resource') }],
        'uint32_t type',
        ['const void* desc', { length: 'desc_size' }],
        'size_t desc_size',
        ['zx_handle_t* out', { handle: creates('iommu') }],
      ],
      errors: [
        ['ERR_NOT_SUPPORTED', 'type not built in'],
        ['ERR_INVALID_ARGS', 'bad desc'],
      ],
    },
    {
      name: 'zx_ioports_release',
      tier: 'ddk',
      args: [['zx_handle_t resource', { handle: uses('resource') }], 'uint16_t io_addr', 'uint32_t len'],
      errors: [
        ['ERR_NOT_SUPPORTED', 'not x86'],
        ['ERR_OUT_OF_RANGE', 'range'],
      ],
    },
    {
      name: 'zx_ioports_request',
      tier: 'ddk',
      args: [['zx_handle_t resource', { handle: uses('resource') }], 'uint16_t io_addr', 'uint32_t len'],
      errors: [
        ['ERR_NOT_SUPPORTED', 'not x86'],
        ['ERR_OUT_OF_RANGE', 'range'],
      ],
    },
    {
      name: 'zx_ktrace_control',
      tier: 'ddk',
      args: [
        ['zx_handle_t handle', { handle: uses('resource') }],
        'uint32_t action',
        'uint32_t options',
        ['void* ptr', { direction: 'inout' }],
      ],
      errors: [
        ['ERR_INVALID_ARGS', 'bad action'],
        ['ERR_BAD_STATE', 'wrong trace state'],
      ],
    },
    {
      name: 'zx_ktrace_read',
      tier: 'ddk',
      args: [
        ['zx_handle_t handle', { handle: uses('resource') }],
        ['void* data', { length: 'data_size' }],
        'uint32_t offset',
        'size_t data_size',
        'size_t* actual',
      ],
      errors: [['ERR_BAD_STATE', 'tracing active']],
    },
    {
      name: 'zx_msi_allocate',
      tier: 'ddk',
      args: [
        ['zx_handle_t handle', { handle: uses('resource') }],
        'uint32_t count',
        ['zx_handle_t* out_allocation', { handle: creates('msi') }],
      ],
      errors: [
        ['ERR_INVALID_ARGS', 'count not a power of two'],
        ['ERR_NOT_SUPPORTED', 'no MSI'],
      ],
    },
    {
      name: 'zx_msi_create',
      tier: 'ddk',
      args: [
        ['zx_handle_t handle', { handle: uses('msi') }],
        'uint32_t options',
        'uint32_t msi_id',
        ['zx_handle_t vmo', { handle: uses('vmo', Right.MAP) }],
        'size_t vmo_offset',
        ['zx_handle_t* out_interrupt', { handle: creates('interrupt') }],
      ],
      errors: [
        ['ERR_ALREADY_BOUND', 'id in use'],
        ['ERR_INVALID_ARGS', 'vmo not suitable'],
      ],
    },
    {
      name: 'zx_mtrace_control',
      tier: 'ddk',
      args: [
        ['zx_handle_t handle', { handle: uses('resource') }],
        'uint32_t kind',
        'uint32_t action',
        'uint32_t options',
        ['void* ptr', { direction: 'inout', length: 'ptr_size' }],
        'size_t ptr_size',
      ],
      errors: [['ERR_INVALID_ARGS', 'kind/action']],
    },
    {
      name: 'zx_pc_firmware_tables',
      tier: 'ddk',
      flags: ['removed'],
      args: [
        ['zx_handle_t handle', { handle: uses('resource') }],
        'zx_paddr_t* acpi_rsdp',
        'zx_paddr_t* smbios',
      ],
      errors: [['ERR_NOT_SUPPORTED', 'not x86 (removed in newest header; kept for old binaries)']],
    },
    { name: 'zx_pmt_unpin', tier: 'ddk', args: [['zx_handle_t handle', { handle: consumes('pmt') }]] },
    {
      name: 'zx_profile_create',
      tier: 'ddk',
      args: [
        ['zx_handle_t profile_rsrc', { handle: uses('resource') }],
        'uint32_t options',
        'const zx_profile_info_t* profile',
        ['zx_handle_t* out', { handle: creates('profile') }],
      ],
      policy: 'NEW_PROFILE',
      errors: [
        ['ERR_INVALID_ARGS', 'options or priority out of range'],
        ['ERR_NOT_SUPPORTED', 'unknown flags'],
      ],
    },
    {
      name: 'zx_resource_create',
      tier: 'ddk',
      args: [
        ['zx_handle_t parent_rsrc', { handle: uses('resource') }],
        'uint32_t options',
        'uint64_t base',
        'size_t size',
        ['const char* name', { length: 'name_size' }],
        'size_t name_size',
        ['zx_handle_t* resource_out', { handle: creates('resource') }],
      ],
      errors: [
        ['ERR_ACCESS_DENIED', 'parent not covering range'],
        ['ERR_INVALID_ARGS', 'kind/flags/range'],
      ],
    },
    {
      name: 'zx_sampler_create',
      tier: 'ddk',
      flags: ['next'],
      args: [
        ['zx_handle_t rsrc', { handle: uses('resource') }],
        'uint64_t options',
        'const zx_sampler_config_t* config',
        ['zx_handle_t* per_cpu_buffers', { handle: creates('iob') }],
      ],
      policy: 'NEW_SAMPLER',
      errors: [
        ['ERR_ALREADY_EXISTS', 'a session is live'],
        ['ERR_INVALID_ARGS', 'config'],
        ['ERR_NOT_SUPPORTED', 'built out'],
      ],
    },
    {
      name: 'zx_sampler_read',
      tier: 'ddk',
      flags: ['next'],
      args: [
        ['zx_handle_t iobuffer', { handle: uses('iob', Right.READ) }],
        ['void* data', { length: 'data_size' }],
        'size_t data_size',
        'size_t* actual',
      ],
      errors: [['ERR_BAD_STATE', 'session not stopped']],
    },
    {
      name: 'zx_sampler_start',
      tier: 'ddk',
      flags: ['next'],
      args: [['zx_handle_t iobuffer', { handle: uses('iob', Right.WRITE) }]],
      errors: [['ERR_BAD_STATE', 'already running']],
    },
    {
      name: 'zx_sampler_stop',
      tier: 'ddk',
      flags: ['next'],
      args: [['zx_handle_t iobuffer', { handle: uses('iob', Right.WRITE) }]],
      errors: [['ERR_BAD_STATE', 'not running']],
    },
    {
      name: 'zx_smc_call',
      tier: 'ddk',
      args: [
        ['zx_handle_t handle', { handle: uses('resource') }],
        'const zx_smc_parameters_t* parameters',
        'zx_smc_result_t* out_smc_result',
      ],
      errors: [
        ['ERR_NOT_SUPPORTED', 'not arm64'],
        ['ERR_INVALID_ARGS', 'pointer'],
      ],
    },
  ]),
  ...inCategory('interrupt', [
    {
      name: 'zx_interrupt_ack',
      tier: 'ddk',
      args: [['zx_handle_t handle', { handle: uses('interrupt', Right.WRITE) }]],
      errors: [
        ['ERR_BAD_STATE', 'not triggered / bound differently'],
        ['ERR_CANCELED', 'destroyed'],
      ],
    },
    {
      name: 'zx_interrupt_bind',
      tier: 'ddk',
      args: [
        ['zx_handle_t handle', { handle: uses('interrupt', Right.READ) }],
        ['zx_handle_t port_handle', { handle: uses('port', Right.WRITE) }],
        'uint64_t key',
        'uint32_t options',
      ],
      errors: [
        ['ERR_ALREADY_BOUND', 'has port'],
        ['ERR_BAD_STATE', 'thread waiting'],
        ['ERR_INVALID_ARGS', 'options'],
        ['ERR_NOT_FOUND', 'unbind with none'],
      ],
    },
    {
      name: 'zx_interrupt_create',
      tier: 'ddk',
      args: [
        ['zx_handle_t src_obj', { handle: uses('resource'), optional: true }],
        'uint32_t src_num',
        'uint32_t options',
        ['zx_handle_t* out_handle', { handle: creates('interrupt') }],
      ],
      errors: [
        ['ERR_INVALID_ARGS', 'bad vector or mode'],
        ['ERR_NO_RESOURCES', 'line in use'],
      ],
    },
    {
      name: 'zx_interrupt_destroy',
      tier: 'ddk',
      args: [['zx_handle_t handle', { handle: uses('interrupt', Right.WRITE) }]],
      errors: [['ERR_NOT_FOUND', 'was bound with no packet']],
    },
    {
      name: 'zx_interrupt_trigger',
      tier: 'ddk',
      args: [
        ['zx_handle_t handle', { handle: uses('interrupt', Right.SIGNAL) }],
        'uint32_t options',
        'zx_time_t timestamp',
      ],
      errors: [
        ['ERR_BAD_STATE', 'not virtual'],
        ['ERR_CANCELED', 'destroyed'],
        ['ERR_INVALID_ARGS', 'options'],
      ],
    },
    {
      name: 'zx_interrupt_wait',
      tier: 'ddk',
      flags: ['blocking'],
      args: [
        ['zx_handle_t handle', { handle: uses('interrupt', Right.WAIT) }],
        ['zx_time_t* out_timestamp', { optional: true }],
      ],
      errors: [
        ['ERR_BAD_STATE', 'bound to port or already waited on'],
        ['ERR_CANCELED', 'destroyed'],
      ],
    },
  ]),
  ...inCategory('pci', [
    {
      name: 'zx_pci_add_subtract_io_range',
      tier: 'ddk',
      args: [
        ['zx_handle_t handle', { handle: uses('resource') }],
        'uint32_t mmio',
        'uint64_t base',
        'uint64_t len',
        'uint32_t add',
      ],
      errors: [['ERR_NOT_SUPPORTED', 'no kernel PCI']],
    },
    {
      name: 'zx_pci_cfg_pio_rw',
      tier: 'ddk',
      args: [
        ['zx_handle_t handle', { handle: uses('resource') }],
        'uint8_t bus',
        'uint8_t dev',
        'uint8_t func',
        'uint8_t offset',
        ['uint32_t* val', { direction: 'inout' }],
        'size_t width',
        'uint32_t write',
      ],
      errors: [['ERR_NOT_SUPPORTED', 'not x86']],
    },
    {
      name: 'zx_pci_config_read',
      tier: 'ddk',
      args: [
        ['zx_handle_t handle', { handle: uses('pci-device', Right.READ) }],
        'uint16_t offset',
        'size_t width',
        'uint32_t* out_val',
      ],
      errors: [
        ['ERR_OUT_OF_RANGE', 'offset'],
        ['ERR_INVALID_ARGS', 'width'],
      ],
    },
    {
      name: 'zx_pci_config_write',
      tier: 'ddk',
      args: [
        ['zx_handle_t handle', { handle: uses('pci-device', Right.WRITE) }],
        'uint16_t offset',
        'size_t width',
        'uint32_t val',
      ],
      errors: [
        ['ERR_OUT_OF_RANGE', 'offset'],
        ['ERR_INVALID_ARGS', 'width'],
      ],
    },
    {
      name: 'zx_pci_enable_bus_master',
      tier: 'ddk',
      args: [['zx_handle_t handle', { handle: uses('pci-device', Right.WRITE) }], 'uint32_t enable'],
    },
    {
      name: 'zx_pci_get_bar',
      tier: 'ddk',
      args: [
        ['zx_handle_t handle', { handle: uses('pci-device', Right.READ) }],
        'uint32_t bar_num',
        'zx_pci_bar_t* out_bar',
        ['zx_handle_t* out_handle', { handle: creates('vmo') }],
      ],
      errors: [
        ['ERR_NOT_FOUND', 'no bar'],
        ['ERR_INVALID_ARGS', 'index'],
      ],
    },
    {
      name: 'zx_pci_get_nth_device',
      tier: 'ddk',
      args: [
        ['zx_handle_t handle', { handle: uses('resource') }],
        'uint32_t index',
        'zx_pcie_device_info_t* out_info',
        ['zx_handle_t* out_handle', { handle: creates('pci-device') }],
      ],
      errors: [['ERR_OUT_OF_RANGE', 'index']],
    },
    {
      name: 'zx_pci_init',
      tier: 'ddk',
      args: [
        ['zx_handle_t handle', { handle: uses('resource') }],
        'const zx_pci_init_arg_t* init_buf',
        'uint32_t len',
      ],
      errors: [['ERR_INVALID_ARGS', 'blob']],
    },
    {
      name: 'zx_pci_map_interrupt',
      tier: 'ddk',
      args: [
        ['zx_handle_t handle', { handle: uses('pci-device', Right.READ) }],
        'int32_t which_irq',
        ['zx_handle_t* out_handle', { handle: creates('interrupt') }],
      ],
      errors: [['ERR_INVALID_ARGS', 'irq']],
    },
    {
      name: 'zx_pci_query_irq_mode',
      tier: 'ddk',
      args: [
        ['zx_handle_t handle', { handle: uses('pci-device', Right.READ) }],
        'uint32_t mode',
        'uint32_t* out_max_irqs',
      ],
      errors: [['ERR_INVALID_ARGS', 'mode']],
    },
    {
      name: 'zx_pci_reset_device',
      tier: 'ddk',
      args: [['zx_handle_t handle', { handle: uses('pci-device', Right.WRITE) }]],
    },
    {
      name: 'zx_pci_set_irq_mode',
      tier: 'ddk',
      args: [
        ['zx_handle_t handle', { handle: uses('pci-device', Right.WRITE) }],
        'uint32_t mode',
        'uint32_t requested_irq_count',
      ],
      errors: [['ERR_INVALID_ARGS', 'mode or count']],
    },
  ]),
  ...inCategory('systemddk', [
    {
      name: 'zx_system_get_performance_info',
      tier: 'ddk',
      args: [
        ['zx_handle_t resource', { handle: uses('resource') }],
        'uint32_t topic',
        'size_t count',
        'void* info',
        'size_t* output_count',
      ],
      errors: [
        ['ERR_INVALID_ARGS', 'topic'],
        ['ERR_OUT_OF_RANGE', 'count'],
      ],
    },
    {
      name: 'zx_system_mexec',
      tier: 'ddk',
      args: [
        ['zx_handle_t resource', { handle: uses('resource') }],
        ['zx_handle_t kernel_vmo', { handle: uses('vmo', Right.READ) }],
        ['zx_handle_t bootimage_vmo', { handle: uses('vmo', Right.READ) }],
      ],
      errors: [['ERR_NOT_SUPPORTED', 'disabled']],
    },
    {
      name: 'zx_system_mexec_payload_get',
      tier: 'ddk',
      args: [
        ['zx_handle_t resource', { handle: uses('resource') }],
        ['void* buffer', { length: 'buffer_size' }],
        'size_t buffer_size',
      ],
      errors: [['ERR_BUFFER_TOO_SMALL', 'buffer']],
    },
    {
      name: 'zx_system_powerctl',
      tier: 'ddk',
      args: [
        ['zx_handle_t resource', { handle: uses('resource') }],
        'uint32_t cmd',
        ['const zx_system_powerctl_arg_t* arg', { optional: true }],
      ],
      errors: [
        ['ERR_INVALID_ARGS', 'cmd'],
        ['ERR_NOT_SUPPORTED', 'cmd'],
      ],
    },
    {
      name: 'zx_system_set_performance_info',
      tier: 'ddk',
      args: [
        ['zx_handle_t resource', { handle: uses('resource') }],
        'uint32_t topic',
        'const void* info',
        'size_t count',
      ],
      errors: [
        ['ERR_INVALID_ARGS', 'topic'],
        ['ERR_OUT_OF_RANGE', 'count'],
      ],
    },
    {
      name: 'zx_system_set_processor_power_domain',
      tier: 'ddk',
      flags: ['next'],
      args: [
        ['zx_handle_t resource', { handle: uses('resource') }],
        'uint64_t options',
        'const zx_processor_power_domain_t* domain',
        ['zx_handle_t port', { handle: uses('port', Right.WRITE) }],
        ['const zx_processor_power_level_t* power_levels', { length: 'num_power_levels' }],
        'size_t num_power_levels',
        ['const zx_processor_power_level_transition_t* transitions', { length: 'num_transitions' }],
        'size_t num_transitions',
      ],
      errors: [['ERR_INVALID_ARGS', 'model']],
    },
    {
      name: 'zx_system_set_processor_power_state',
      tier: 'ddk',
      flags: ['next'],
      args: [
        ['zx_handle_t port', { handle: uses('port', Right.READ) }],
        'const zx_processor_power_state_t* power_state',
      ],
      errors: [
        ['ERR_NOT_FOUND', 'domain'],
        ['ERR_INVALID_ARGS', 'state'],
      ],
    },
    {
      name: 'zx_system_suspend_enter',
      tier: 'ddk',
      flags: ['next', 'blocking'],
      args: [
        ['zx_handle_t resource', { handle: uses('resource') }],
        'zx_instant_boot_t resume_deadline',
        'uint64_t options',
        ['zx_wake_source_report_header_t* header', { optional: true }],
        ['zx_wake_source_report_entry_t* entries', { optional: true, length: 'num_entries' }],
        'uint32_t num_entries',
        ['uint32_t* actual_entries', { optional: true }],
      ],
      errors: [
        ['ERR_INVALID_ARGS', 'options'],
        ['ERR_BAD_STATE', 'wake pending'],
        ['ERR_TIMED_OUT', 'deadline first'],
      ],
    },
  ]),
  ...inCategory('hypervisor', [
    {
      name: 'zx_guest_create',
      tier: 'ddk',
      args: [
        ['zx_handle_t resource', { handle: uses('resource') }],
        'uint32_t options',
        ['zx_handle_t* guest_handle', { handle: creates('guest') }],
        ['zx_handle_t* vmar_handle', { handle: creates('vmar') }],
      ],
      errors: [
        ['ERR_NOT_SUPPORTED', 'no virtualization'],
        ['ERR_INVALID_ARGS', 'bad option'],
      ],
    },
    {
      name: 'zx_guest_set_trap',
      tier: 'ddk',
      args: [
        ['zx_handle_t handle', { handle: uses('guest', Right.WRITE) }],
        'uint32_t kind',
        'zx_vaddr_t addr',
        'size_t size',
        ['zx_handle_t port_handle', { handle: uses('port', Right.WRITE), optional: true }],
        'uint64_t key',
      ],
      errors: [
        ['ERR_INVALID_ARGS', 'bad kind/range'],
        ['ERR_ALREADY_EXISTS', 'overlap'],
        ['ERR_OUT_OF_RANGE', 'range overflow'],
      ],
    },
    {
      name: 'zx_vcpu_create',
      tier: 'ddk',
      args: [
        ['zx_handle_t guest', { handle: uses('guest', Right.MANAGE_PROCESS) }],
        'uint32_t options',
        'zx_vaddr_t entry',
        ['zx_handle_t* out', { handle: creates('vcpu') }],
      ],
      errors: [
        ['ERR_INVALID_ARGS', 'bad option or entry'],
        ['ERR_BAD_STATE', 'thread already has a vcpu'],
      ],
    },
    {
      name: 'zx_vcpu_enter',
      tier: 'ddk',
      flags: ['blocking'],
      args: [['zx_handle_t handle', { handle: uses('vcpu', Right.EXECUTE) }], 'zx_port_packet_t* packet'],
      errors: [
        ['ERR_BAD_STATE', 'wrong thread'],
        ['ERR_CANCELED', 'kicked'],
        ['ERR_NOT_SUPPORTED', 'unhandled guest exit'],
      ],
    },
    {
      name: 'zx_vcpu_interrupt',
      tier: 'ddk',
      args: [['zx_handle_t handle', { handle: uses('vcpu', Right.SIGNAL) }], 'uint32_t vector'],
      errors: [['ERR_OUT_OF_RANGE', 'bad vector']],
    },
    {
      name: 'zx_vcpu_kick',
      tier: 'ddk',
      args: [['zx_handle_t handle', { handle: uses('vcpu', Right.EXECUTE) }]],
    },
    {
      name: 'zx_vcpu_read_state',
      tier: 'ddk',
      args: [
        ['zx_handle_t handle', { handle: uses('vcpu', Right.READ) }],
        'uint32_t kind',
        ['void* buffer', { length: 'buffer_size' }],
        'size_t buffer_size',
      ],
      errors: [
        ['ERR_BAD_STATE', 'wrong thread or running'],
        ['ERR_INVALID_ARGS', 'bad kind/size'],
      ],
    },
    {
      name: 'zx_vcpu_write_state',
      tier: 'ddk',
      args: [
        ['zx_handle_t handle', { handle: uses('vcpu', Right.WRITE) }],
        'uint32_t kind',
        ['const void* buffer', { length: 'buffer_size' }],
        'size_t buffer_size',
      ],
      errors: [
        ['ERR_BAD_STATE', 'wrong thread or running'],
        ['ERR_INVALID_ARGS', 'bad kind/size'],
      ],
    },
  ]),
];
